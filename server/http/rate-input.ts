/** How an exchange rate is told: by an operator, or by a provider. */
import { z } from 'zod'
import { textOrNumber } from './json.ts'
import { text, timeInput } from './schemas.ts'

const spreadBasisPointsMax = 5_000
const sourceLengthMax = 100

export const rateFields = {
  mid: textOrNumber.meta({
    description:
      'What one base is worth in quote, in major units: a plain decimal with up to 18 digits on each side',
    examples: ['1.0843'],
  }),
  spread_basis_points: z.int().min(0).max(spreadBasisPointsMax).meta({
    description: 'What customers get less, in hundredths of a percent',
  }),
  source: text(sourceLengthMax).meta({ description: 'Where the rate comes from' }),
  valid_until: timeInput.meta({ description: 'RFC 3339; in the future' }),
}
