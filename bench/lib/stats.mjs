// Medians with their spread: the quartiles, which a busy machine cannot move as it moves a mean.

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

/** Within rounds: what was measured side by side is compared, whatever the machine did at another time. */
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
