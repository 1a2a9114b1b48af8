// What was just given to a source, to be shown once on its page: the API never shows it again. It is kept in memory alone.

export type Given = { secret: string | undefined; token: string | undefined; rotated: boolean }

let kept: { source: string; given: Given } | undefined

export function keepForOnce(source: string, given: Given) {
  kept = { source, given }
}

export function takeOnce(source: string): Given | undefined {
  const found = kept?.source === source ? kept.given : undefined
  kept = undefined
  return found
}
