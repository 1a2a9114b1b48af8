// Event types as an endpoint of some dialect hears them.
import type { CatalogEntry } from '../../api/types'

/** One line of the picker: what goes out under one name of the dialect. Several types may. */
export type Choice = { word: string; types: string[]; group: string; description: string; close: boolean; deprecated: boolean }
export type Group = { name: string; choices: Choice[] }

const rest = 'Not in the catalogue'

/** What a dialect can say, by group and name; close includes what it has a word for that is close and not the same. */
export function choicesOf(entries: CatalogEntry[], dialect: string, close: boolean, chosen: string[]): Group[] {
  const found = new Map<string, Choice>()
  const said = new Set<string>()
  for (const entry of entries) {
    const words = entry.words[dialect]
    if (words === undefined || (words.fit === 'close' && !close)) continue
    said.add(entry.name)
    const word = words.words.join(', ')
    const there = found.get(word)
    if (there === undefined) {
      found.set(word, { word, types: [entry.name], group: entry.group ?? 'Your own', description: entry.description, close: words.fit === 'close', deprecated: entry.deprecated })
      continue
    }
    there.types.push(entry.name)
    // What means exactly this word describes it.
    if (there.close && words.fit === 'exact') Object.assign(there, { group: entry.group ?? 'Your own', description: entry.description, close: false })
  }
  for (const name of chosen) if (!said.has(name)) found.set(name, { word: name, types: [name], group: rest, description: 'The catalogue does not show this type, or the dialect cannot say it.', close: false, deprecated: false })
  const groups = new Map<string, Choice[]>()
  for (const choice of found.values()) groups.set(choice.group, [...(groups.get(choice.group) ?? []), choice])
  return [...groups].map(([name, choices]) => ({ name, choices: choices.sort((a, b) => a.word.localeCompare(b.word)) })).sort((a, b) => Number(a.name === rest) - Number(b.name === rest) || a.name.localeCompare(b.name))
}

export function fits({ word, types, group, description }: Choice, search: string): boolean {
  const text = `${word} ${types.join(' ')} ${group} ${description}`.toLowerCase()
  return search.toLowerCase().split(/\s+/).filter(Boolean).every((part) => text.includes(part))
}
