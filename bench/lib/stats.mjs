// Medians and quartiles, which a busy machine distorts less than a mean.

export function summary(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b)
  if (!sorted.length) return undefined
  const at = (share) => {
    const place = (sorted.length - 1) * share
    const low = Math.floor(place)
    return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low)
  }
  return { low: at(0.25), median: at(0.5), high: at(0.75) }
}

/** Ratios within rounds, so that only measurements taken side by side are compared. */
export function ratios(values, reference) {
  return summary(values.map((value, round) => value / reference[round]))
}

export function shuffled(list) {
  const mixed = [...list]
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[mixed[i], mixed[j]] = [mixed[j], mixed[i]]
  }
  return mixed
}
