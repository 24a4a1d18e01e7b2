/**
 * The usual other way: balances in PostgreSQL, a transfer in one round trip to an SQL function that
 * locks both rows. Idempotent by a unique key, as Kassa is.
 */
import { type DatabaseHandle, openDatabase } from '../../../db/database.ts'
import { answerCalls } from '../child.ts'
import { createMeter } from '../meter.ts'
import { serveBareApp } from './bare-app.ts'

export interface RowLockSetup {
  databaseUrl: string
  wallets: readonly string[]
  users: number
}

export interface RowLockBooks {
  transfers: number
  /** What all wallets hold, less what all were given: 0 when no money was made or lost. */
  surplus: number
  /** Wallets whose balance is not what their transfers add up to. */
  wrong: number
}

const initialBalance = 1_000_000_000_000

/** As many connections as Kassa opens. */
const poolSize = 20

/** Room on each page, so that a changed balance stays on its page and no index is touched. */
const schema = `
  CREATE TABLE wallets (
    id uuid PRIMARY KEY,
    user_id integer NOT NULL,
    balance bigint NOT NULL CHECK (balance >= 0)
  ) WITH (fillfactor = 50);

  CREATE TABLE transfers (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id integer NOT NULL,
    key text NOT NULL,
    from_wallet_id uuid NOT NULL,
    to_wallet_id uuid NOT NULL,
    amount bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, key)
  );

  CREATE FUNCTION transfer(payer integer, idempotency_key text, from_id uuid, to_id uuid, minor bigint)
  RETURNS transfers LANGUAGE plpgsql AS $$
  DECLARE
    result transfers;
  BEGIN
    INSERT INTO transfers (user_id, key, from_wallet_id, to_wallet_id, amount)
      VALUES (payer, idempotency_key, from_id, to_id, minor)
      ON CONFLICT (user_id, key) DO NOTHING RETURNING * INTO result;
    IF NOT FOUND THEN
      SELECT * INTO result FROM transfers WHERE user_id = payer AND key = idempotency_key;
      RETURN result;
    END IF;
    -- In one order for all, so that no two wait for each other.
    PERFORM FROM wallets WHERE id IN (from_id, to_id) ORDER BY id FOR UPDATE;
    UPDATE wallets SET balance = balance - minor
      WHERE id = from_id AND user_id = payer AND balance >= minor;
    IF NOT FOUND THEN
      RAISE 'insufficient_funds';
    END IF;
    UPDATE wallets SET balance = balance + minor WHERE id = to_id;
    IF NOT FOUND THEN
      RAISE 'recipient_not_found';
    END IF;
    RETURN result;
  END $$;
`

const fill = `
  INSERT INTO wallets SELECT id, (place - 1) * $2 / cardinality($1::uuid[]), $3
  FROM unnest($1::uuid[]) WITH ORDINALITY AS listed (id, place)
`

const readBooks = `
  WITH moved AS (
    SELECT id, sum(minor) AS minor FROM (
      SELECT from_wallet_id AS id, -amount AS minor FROM transfers
      UNION ALL SELECT to_wallet_id, amount FROM transfers
    ) AS legs GROUP BY id
  )
  SELECT
    (SELECT count(*) FROM transfers)::integer AS transfers,
    sum(balance - $1)::integer AS surplus,
    (count(*) FILTER (WHERE balance <> $1 + coalesce(moved.minor, 0)))::integer AS wrong
  FROM wallets LEFT JOIN moved USING (id)
`

interface Row {
  id: string
  from_wallet_id: string
  to_wallet_id: string
  amount: bigint
  created_at: Date
}

const meter = createMeter()
let pool: DatabaseHandle['pool'] | undefined
let app: Awaited<ReturnType<typeof serveBareApp>> | undefined

async function start({ databaseUrl, wallets, users }: RowLockSetup) {
  const opened = openDatabase({
    url: databaseUrl,
    poolSize,
    connectTimeoutMs: 5_000,
    onIdleError: (error) => console.error(error.message),
  })
  const own = opened.pool
  pool = own
  await own.query(schema)
  await own.query(fill, [wallets, users, initialBalance])
  await own.query('VACUUM ANALYZE wallets')

  async function transfer(user: number, body: Record<string, string>, key: string) {
    const { from_wallet_id, to_wallet_id, amount } = body
    const { rows } = await own.query<Row>({
      name: 'transfer',
      text: 'SELECT * FROM transfer($1, $2, $3, $4, $5)',
      values: [user, key, from_wallet_id, to_wallet_id, Math.round(Number(amount) * 100)],
    })
    const [row] = rows
    return { ...row, kind: 'payment', amount, currency: 'USD', memo: null }
  }
  app = await serveBareApp((user, body, key) => meter.count(transfer(user, body, key)))
  return { url: app.url }
}

async function books(): Promise<RowLockBooks> {
  const { rows } = await pool!.query<RowLockBooks>(readBooks, [initialBalance])
  return rows[0]!
}

answerCalls({ start, books, usage: meter.usage }, async () => {
  await app?.close()
  await pool?.end()
})
