// What is known of those who send: where they want the URL, and what may prove that a request is theirs.
import type { Source } from '../../api/types'

export type Proof = 'secret' | 'token' | 'both' | 'key' | 'unverified'

export type Vendor = {
  dialect: string
  label: string
  /** Where the source's URL belongs. */
  paste: string
  proofs: readonly Proof[]
  secretHint: string
  /** The header of the token, where the vendor has one. */
  tokenHeader?: string
}

const standardSecret = 'As the sender shows it: whsec_…'

export const vendors: readonly Vendor[] = [
  { dialect: 'zuddl', label: 'Zuddl', paste: 'Paste the URL into a webhook of the organisation or of an event.', proofs: ['secret', 'token', 'both', 'unverified'], secretHint: 'The key that Zuddl made, or that you chose there.' },
  { dialect: 'sessionboard', label: 'Sessionboard', paste: 'Paste the URL into a webhook endpoint; a token goes into a custom header that you add there.', proofs: ['token', 'secret', 'both', 'key', 'unverified'], secretHint: 'The whsec_… that Sessionboard shows, if it shows one.' },
  { dialect: 'oration', label: 'Oration', paste: 'Paste the URL into its webhook settings.', proofs: ['secret', 'token', 'both', 'key', 'unverified'], secretHint: standardSecret },
  { dialect: 'iotum', label: 'iotum', paste: 'Paste the URL into its webhook settings.', proofs: ['token', 'unverified'], secretHint: '', tokenHeader: 'x-signing-token' },
  { dialect: 'native', label: 'Another Callboard', paste: 'Give the URL to an endpoint of the other server, in the native dialect.', proofs: ['secret', 'key', 'token', 'both', 'unverified'], secretHint: "The endpoint's secret there: whsec_…" },
  { dialect: 'standard', label: 'Any sender of Standard Webhooks', paste: 'Give the URL to whoever sends.', proofs: ['secret', 'key', 'token', 'both', 'unverified'], secretHint: standardSecret },
  { dialect: 'raw', label: 'Any sender of JSON objects', paste: 'Give the URL to whoever sends.', proofs: ['secret', 'token', 'both', 'unverified'], secretHint: 'What the sender signs the body with. Say below which header holds the signature.' },
]

export function vendorOf(dialect: string): Vendor {
  return vendors.find((vendor) => vendor.dialect === dialect) ?? { dialect, label: dialect, paste: 'Give the URL to whoever sends.', proofs: ['secret', 'token', 'both', 'key', 'unverified'], secretHint: '' }
}

export const proofWords: Record<Proof, string> = {
  secret: 'A signature',
  token: 'A token in a header',
  both: 'A signature and a token',
  key: 'A signature with a public key',
  unverified: 'Nothing: unverified',
}

export function proofOf(source: Source): Proof {
  if (source.unverified) return 'unverified'
  if (source.hasSecret) return source.hasToken ? 'both' : 'secret'
  return source.key !== null ? 'key' : 'token'
}

/** 256 bits that nobody has seen. */
export function generated(prefix: 'whsec_' | ''): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  if (prefix === '') return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return prefix + btoa(String.fromCharCode(...bytes))
}

/** What a hint says that the source's signature should be; undefined if it says nothing of it. */
export function suggested(hint: string | null): NonNullable<Source['signature']> | undefined {
  const [, text] = /set the source's signature to (\{.*\})$/.exec(hint ?? '') ?? []
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as NonNullable<Source['signature']>
  } catch {
    return undefined
  }
}
