// The dialects that the server knows, and what people call them.

const names: Record<string, string> = { native: 'Callboard', zuddl: 'Zuddl', sessionboard: 'Sessionboard', oration: 'Oration', iotum: 'iotum' }

/** All dialects; settings that name one of a newer server keep it. */
export function allDialects(others: readonly string[] = []): string[] {
  return [...new Set([...Object.keys(names), ...others])]
}

/** Some dialects in the order in which all of them are shown, Callboard's own first. */
export function inOrder(dialects: readonly string[]): string[] {
  return allDialects(dialects).filter((dialect) => dialects.includes(dialect))
}

/** What people call a dialect. */
export function dialectName(dialect: string): string {
  return names[dialect] ?? dialect
}
