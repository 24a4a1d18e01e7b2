import { type Kysely, sql } from 'kysely'

/**
 * What operators set and every process keeps in memory: a change of any of these tables is notified on
 * `kassa_settings`. First of all the currencies, whose numbers never change.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const parts = [...notification, ...currencies]
  for (const part of parts) await sql.raw(part).execute(db)
}

const notification = [
  `CREATE FUNCTION notify_settings() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_notify('kassa_settings', TG_TABLE_NAME);
    RETURN NULL;
  END $$`,
]

const currencies = [
  `CREATE TABLE currencies (
    number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    currency text PRIMARY KEY CHECK (currency ~ '^[A-Z][A-Z0-9]{2,11}$'),
    ledger integer NOT NULL UNIQUE CHECK (ledger BETWEEN 1 AND 999999999),
    scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 18),
    name text NOT NULL,
    is_own boolean NOT NULL,
    closed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE FUNCTION refuse_renumbering() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF (NEW.currency, NEW.ledger, NEW.scale, NEW.is_own)
      IS DISTINCT FROM (OLD.currency, OLD.ledger, OLD.scale, OLD.is_own) THEN
      RAISE EXCEPTION 'the ledger knows % by these numbers for ever', OLD.currency;
    END IF;
    RETURN NEW;
  END $$`,
  `CREATE TRIGGER currencies_numbers BEFORE UPDATE ON currencies
    FOR EACH ROW EXECUTE FUNCTION refuse_renumbering()`,
  `CREATE TRIGGER currencies_kept BEFORE DELETE OR TRUNCATE ON currencies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`,
  `CREATE TRIGGER currencies_notify AFTER INSERT OR UPDATE ON currencies
    FOR EACH STATEMENT EXECUTE FUNCTION notify_settings()`,
  'CREATE SEQUENCE own_ledgers AS integer MINVALUE 1000000 MAXVALUE 999999999',
  `INSERT INTO currencies (currency, ledger, scale, name, is_own) VALUES
    ('USD', 840, 2, 'US Dollar', false),
    ('EUR', 978, 2, 'Euro', false),
    ('GBP', 826, 2, 'Pound Sterling', false),
    ('CHF', 756, 2, 'Swiss Franc', false),
    ('RUB', 643, 2, 'Russian Ruble', false),
    ('KZT', 398, 2, 'Tenge', false),
    ('INR', 356, 2, 'Indian Rupee', false),
    ('CNY', 156, 2, 'Yuan Renminbi', false),
    ('JPY', 392, 0, 'Yen', false),
    ('KWD', 414, 3, 'Kuwaiti Dinar', false)`,
]
