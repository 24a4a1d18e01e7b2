import { type Kysely, sql } from 'kysely'

/**
 * The role as which a reconciliation reads: it can change nothing, and sees no secret. A role belongs to
 * the whole server. Who migrates without the right to make one goes on without it: a reconciliation then
 * relies on its transaction alone, which is read-only as well.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const part of [makeRole, grantColumns, grantRole]) await sql.raw(part).execute(db)
}

const makeRole = `DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kassa_auditor') THEN
    CREATE ROLE kassa_auditor NOLOGIN;
  END IF;
EXCEPTION
  -- Another database of the server is migrated at the same time.
  WHEN duplicate_object OR unique_violation THEN NULL;
  WHEN insufficient_privilege THEN
    RAISE NOTICE 'role kassa_auditor is not there, and % may not make it', current_user;
END $$`

const tables = `
  approval_decisions, approval_effects, approvals, currencies, declines, deposits, fee_schedules,
  lifecycles, payment_requests, payment_systems, payroll_items, payrolls, quotes, refunds, reversals,
  tail_cursors, wallet_closings, wallets, withdrawal_outcomes`

const grantColumns = `DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kassa_auditor') THEN RETURN; END IF;
  GRANT SELECT ON ${tables} TO kassa_auditor;
  GRANT SELECT (id, input_hash, user_id, wallet_id, payment_system_id, created_at, settled_at)
    ON withdrawals TO kassa_auditor;
  GRANT SELECT (id, role) ON users TO kassa_auditor;
END $$`

/** For taking the role; a superuser may do that anyway. */
const grantRole = `DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kassa_auditor') THEN RETURN; END IF;
  IF NOT pg_has_role('kassa_auditor', 'MEMBER') THEN
    EXECUTE format('GRANT kassa_auditor TO %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE '% may not take the role kassa_auditor', current_user;
END $$`
