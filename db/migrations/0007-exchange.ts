import { type Kysely, sql } from 'kysely'

/** Exchange rates as operators and providers have set them, and the quotes that were made of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [...rates, ...quotes]) await sql.raw(part).execute(db)
}

const appendOnly = (table: string) =>
  `CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`

const rates = [
  `CREATE TABLE exchange_rates (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    base text NOT NULL REFERENCES currencies,
    quote text NOT NULL REFERENCES currencies CHECK (quote <> base),
    pair text NOT NULL GENERATED ALWAYS AS
      (least(base COLLATE "C", quote COLLATE "C") || '/' || greatest(base COLLATE "C", quote COLLATE "C")) STORED,
    mid numeric NOT NULL CHECK (mid > 0 AND mid < 1e18 AND scale(mid) <= 18),
    spread_basis_points smallint NOT NULL CHECK (spread_basis_points BETWEEN 0 AND 5000),
    source text NOT NULL,
    valid_until timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE INDEX exchange_rates_pair ON exchange_rates (pair, number DESC)',
  appendOnly('exchange_rates'),
  `CREATE TRIGGER exchange_rates_notify AFTER INSERT ON exchange_rates
    FOR EACH STATEMENT EXECUTE FUNCTION notify_settings()`,
]

const quotes = [
  `CREATE TABLE quotes (
    id uuid PRIMARY KEY,
    exchange_id uuid NOT NULL UNIQUE,
    user_id uuid NOT NULL REFERENCES users,
    rate_number bigint NOT NULL REFERENCES exchange_rates,
    side text NOT NULL CHECK (side IN ('sell', 'buy')),
    from_currency text NOT NULL REFERENCES currencies,
    to_currency text NOT NULL REFERENCES currencies,
    from_minor numeric(39) NOT NULL CHECK (from_minor > 0),
    to_minor numeric(39) NOT NULL CHECK (to_minor > 0),
    spread_minor numeric(39) NOT NULL CHECK (spread_minor >= 0),
    fee_minor numeric(39) CHECK (fee_minor > 0),
    fee_number bigint REFERENCES fee_schedules (number),
    ends_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
  )`,
  'CREATE INDEX quotes_open ON quotes (user_id, ends_at)',
  appendOnly('quotes'),
]
