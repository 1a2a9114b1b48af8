// What was made of a received request, in words.
import type { Received } from '../../api/types'
import type { Tone } from '../../components'

export function verdict(row: Received): { word: string; tone: Tone; means: string } {
  switch (row.status) {
    case 'accepted':
      return row.verified
        ? { word: 'Accepted', tone: 'success', means: 'It is proven, and became a message.' }
        : { word: 'Accepted, unverified', tone: 'warn', means: 'Nothing proves that it is the vendor’s. It became a message.' }
    case 'refused':
      return { word: 'Refused', tone: 'fail', means: 'It is not proven to be the vendor’s.' }
    case 'unreadable':
      return { word: 'Unreadable', tone: 'warn', means: 'It is proven, and no webhook of the dialect’s.' }
  }
}

/** What happens when some are taken in again, for the question before it. */
export function replayWords(rows: readonly Received[]): { title: string; text: string; danger: boolean } {
  const n = rows.length
  const refused = rows.filter(({ status }) => status === 'refused').length
  const accepted = rows.filter(({ status }) => status === 'accepted').length
  const parts: string[] = []
  if (accepted > 0) parts.push(`${accepted === n && n === 1 ? 'It' : accepted === n ? 'Each' : `${accepted} accepted of them`} becomes one more message, under another id.`)
  if (refused > 0) parts.push(`${refused === n && n === 1 ? 'It was refused and is' : refused === n ? 'They were refused and are' : `${refused} were refused and are`} not verified now either: you vouch for ${refused === 1 ? 'it' : 'them'}.`)
  if (parts.length === 0) parts.push('The kept body is read as if it had come now.')
  return { title: n === 1 ? 'Replay this request?' : `Replay ${n} requests?`, text: parts.join(' '), danger: refused > 0 }
}
