/**
 * The model after all of these exchanges in some order, or undefined when there is none in which the
 * model gives the same answers (linearizability). `step` tells the model after one exchange, or
 * undefined when the answer is not the model's.
 */
export function linearize<Model, Exchange>(
  model: Model,
  exchanges: readonly Exchange[],
  step: (model: Model, exchange: Exchange) => Model | undefined,
): Model | undefined {
  if (exchanges.length === 0) return model
  for (const [position, exchange] of exchanges.entries()) {
    const next = step(model, exchange)
    const end = next && linearize(next, exchanges.toSpliced(position, 1), step)
    if (end) return end
  }
  return undefined
}
