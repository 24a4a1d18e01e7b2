/**
 * The multi-batch form of request and reply bodies: the elements of all batches one after the
 * other, then a trailer of 16-bit words, read from the end: the number of batches, then each
 * batch's number of elements, then 0xffff up to a whole number of elements.
 */

/** Bytes of the largest body of a message. */
export const bodyBytesMax = 1024 * 1024 - 256

/** Bytes of the trailer for this many batches of such elements. */
export function trailerBytes(elementBytes: number, batchCount: number): number {
  return Math.ceil((batchCount * 2 + 2) / elementBytes) * elementBytes
}

/** Most elements that fit in one body with one batch. */
export function elementsMax(elementBytes: number): number {
  return Math.floor((bodyBytesMax - trailerBytes(elementBytes, 1)) / elementBytes)
}

/**
 * The number of elements of each batch in order, or null when trailer and body do not fit each
 * other exactly. `elementBytes` is even.
 */
export function readBatches(body: Uint8Array, elementBytes: number): Uint16Array | null {
  const length = body.length
  if (length < elementBytes || length > bodyBytesMax || length % elementBytes !== 0) return null
  const word = (fromEnd: number): number =>
    body[length - fromEnd * 2]! | (body[length - fromEnd * 2 + 1]! << 8)
  const batchCount = word(1)
  if (batchCount === 0 || batchCount === 0xffff) return null
  const trailer = trailerBytes(elementBytes, batchCount)
  if (trailer > length) return null
  const batches = new Uint16Array(batchCount)
  let elements = 0
  for (let batch = 0; batch < batchCount; batch += 1) {
    batches[batch] = word(batch + 2)
    elements += batches[batch]!
  }
  if (elements * elementBytes + trailer !== length) return null
  for (let at = batchCount + 2; at * 2 <= trailer; at += 1) {
    if (word(at) !== 0xffff) return null
  }
  return batches
}

/** Writes the trailer behind `length` bytes of elements; returns the length of the whole body. */
export function writeTrailer(
  body: Uint8Array,
  length: number,
  elementBytes: number,
  batches: Uint16Array,
): number {
  const end = length + trailerBytes(elementBytes, batches.length)
  body.fill(0xff, length, end)
  const put = (fromEnd: number, value: number): void => {
    body[end - fromEnd * 2] = value
    body[end - fromEnd * 2 + 1] = value >>> 8
  }
  put(1, batches.length)
  for (let batch = 0; batch < batches.length; batch += 1) put(batch + 2, batches[batch]!)
  return end
}
