/** An answer of the same size and shape as that of `POST /v1/transfers`. */
export const constantTransfer = {
  id: '0190a7c2-5b7e-8d5e-9f3a-6f1c2b7d9e40',
  kind: 'payment' as const,
  from_wallet_id: '0190a7c2-5b7e-7d5e-9f3a-6f1c2b7d9e41',
  to_wallet_id: '0190a7c2-5b7e-7d5e-9f3a-6f1c2b7d9e42',
  amount: '0.01',
  currency: 'USD',
  memo: null,
  created_at: '2026-01-01T00:00:00.000Z',
}
