// A source's form and what of it the API is told.
import type { FieldError } from '../../api/client'
import type { Source, SourceIn } from '../../api/types'
import { proofOf, vendorOf, type Proof } from './vendors'

export type Form = {
  dialect: string
  description: string
  proof: Proof
  secret: string
  token: string
  tokenHeader: string
  key: string
  channels: string
  header: string
  encoding: string
  prefix: string
  secretForm: string
  handshakeSecret: string
  typeHeader: string
  typeField: string
}

export function formOf(source: Source | undefined): Form {
  return {
    dialect: source?.dialect ?? 'zuddl',
    description: source?.description ?? '',
    proof: source === undefined ? 'secret' : proofOf(source),
    secret: '',
    token: '',
    tokenHeader: source?.tokenHeader ?? '',
    key: source?.key ?? '',
    channels: source?.channels?.join(', ') ?? '',
    header: source?.signature?.header ?? '',
    encoding: source?.signature?.encoding ?? '',
    prefix: source?.signature?.prefix ?? '',
    secretForm: source?.signature?.secret ?? '',
    handshakeSecret: '',
    typeHeader: source?.typeHeader ?? '',
    typeField: source?.typeField ?? '',
  }
}

const uses = (form: Form, what: 'secret' | 'token') => form.proof === what || form.proof === 'both'

function signatureOf(form: Form): Source['signature'] {
  const written = form.encoding !== '' || form.header !== '' || form.prefix !== ''
  if (!written && form.secretForm === '') return null
  return {
    ...(form.header !== '' && { header: form.header }),
    ...(form.encoding !== '' && { encoding: form.encoding }),
    // An empty prefix says that there is none, which only counts beside how the rest is written.
    ...((form.prefix !== '' || form.encoding !== '') && { prefix: form.prefix }),
    ...(form.secretForm !== '' && { secret: form.secretForm }),
  }
}

function channelsOf(form: Form): string[] | null {
  const channels = form.channels.split(/[\s,]+/).filter(Boolean)
  return channels.length > 0 ? channels : null
}

const orNothing = (text: string) => (text === '' ? undefined : text)

/** What proves a request and was not given: the API would be asked in vain, or take the source with less proof than was chosen. */
export function missing(form: Form, before: Source | undefined): FieldError[] {
  const wanted: [keyof Form, boolean, string][] = [
    ['secret', uses(form, 'secret') && !before?.hasSecret, 'give the secret that the vendor signs with'],
    ['token', uses(form, 'token') && !before?.hasToken, 'give the token that the vendor sends'],
    ['tokenHeader', uses(form, 'token') && vendorOf(form.dialect).tokenHeader === undefined, 'name the header in which the vendor sends the token'],
    ['key', form.proof === 'key', 'give the public key of the sender'],
  ]
  return wanted.filter(([name, needed]) => needed && form[name].trim() === '').map(([name, , msg]) => ({ loc: ['body', name], msg, type: 'missing' }))
}

/** What creates a source. */
export function created(form: Form): SourceIn {
  const raw = form.dialect === 'raw'
  return {
    dialect: form.dialect,
    description: form.description,
    channels: channelsOf(form),
    secret: uses(form, 'secret') ? orNothing(form.secret) : undefined,
    token: uses(form, 'token') ? orNothing(form.token) : undefined,
    tokenHeader: uses(form, 'token') ? orNothing(form.tokenHeader) ?? vendorOf(form.dialect).tokenHeader : undefined,
    key: form.proof === 'key' ? form.key : undefined,
    unverified: form.proof === 'unverified',
    signature: uses(form, 'secret') ? signatureOf(form) : null,
    handshakeSecret: orNothing(form.handshakeSecret),
    typeHeader: raw ? orNothing(form.typeHeader) : undefined,
    typeField: raw ? orNothing(form.typeField) : undefined,
  }
}

/** What changes it. A secret that is not typed stays, if it still proves anything. */
export function changed(form: Form): { [K in keyof SourceIn]?: SourceIn[K] | null } {
  const raw = form.dialect === 'raw'
  return {
    description: form.description,
    channels: channelsOf(form),
    unverified: form.proof === 'unverified',
    ...(!uses(form, 'secret') ? { secret: null, signature: null } : { signature: signatureOf(form), ...(form.secret !== '' && { secret: form.secret }) }),
    ...(!uses(form, 'token') ? { token: null, tokenHeader: null } : { tokenHeader: form.tokenHeader || null, ...(form.token !== '' && { token: form.token }) }),
    key: form.proof === 'key' ? form.key : null,
    ...(form.handshakeSecret !== '' && { handshakeSecret: form.handshakeSecret }),
    ...(raw && { typeHeader: form.typeHeader || null, typeField: form.typeField || null }),
  }
}
