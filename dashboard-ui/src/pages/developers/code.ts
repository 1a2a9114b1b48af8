// Code that sends a message with Svix's clients, for this server and this app.
import { shellQuote } from '../../lib/curl'

export type Language = 'curl' | 'node' | 'python' | 'go'
export type Sending = { url: string; app: string; eventType: string; payload: unknown }

/** The code, its payload as a literal of the language. */
export function sendCode(language: Language, sending: Sending): string {
  return { curl: curlCode, node: nodeCode, python: pythonCode, go: goCode }[language](sending)
}

function curlCode({ url, app, eventType, payload }: Sending): string {
  const body = JSON.stringify({ eventType, payload }, null, 2)
  return `curl ${shellQuote(`${url}/api/v1/app/${encodeURIComponent(app)}/msg`)} \\
  -H "Authorization: Bearer $CALLBOARD_TOKEN" \\
  -H 'Content-Type: application/json' \\
  --data-raw ${shellQuote(body)}
`
}

function nodeCode({ url, app, eventType, payload }: Sending): string {
  return `// npm install svix
import { Svix } from "svix";

const svix = new Svix(process.env.CALLBOARD_TOKEN, { serverUrl: ${JSON.stringify(url)} });

await svix.message.create(${JSON.stringify(app)}, {
  eventType: ${JSON.stringify(eventType)},
  payload: ${literal(payload, json, '  ')},
});
`
}

function pythonCode({ url, app, eventType, payload }: Sending): string {
  return `# pip install svix
import os

from svix.api import MessageIn, Svix, SvixOptions

svix = Svix(os.environ["CALLBOARD_TOKEN"], SvixOptions(server_url=${JSON.stringify(url)}))

svix.message.create(${JSON.stringify(app)}, MessageIn(
    event_type=${JSON.stringify(eventType)},
    payload=${literal(payload, python, '    ')},
))
`
}

function goCode({ url, app, eventType, payload }: Sending): string {
  return `// go get github.com/svix/svix-webhooks
package main

import (
	"context"
	"log"
	"net/url"
	"os"

	svix "github.com/svix/svix-webhooks/go"
	"github.com/svix/svix-webhooks/go/models"
)

func main() {
	server, err := url.Parse(${JSON.stringify(url)})
	if err != nil {
		log.Fatal(err)
	}
	client, err := svix.New(os.Getenv("CALLBOARD_TOKEN"), &svix.SvixOptions{ServerUrl: server})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Message.Create(context.Background(), ${JSON.stringify(app)}, models.MessageIn{
		EventType: ${JSON.stringify(eventType)},
		Payload: ${literal(payload, go, '\t\t')},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
}
`
}

type Words = { null: string; true: string; false: string; object: [string, string]; list: [string, string]; step: string }
const json: Words = { null: 'null', true: 'true', false: 'false', object: ['{', '}'], list: ['[', ']'], step: '  ' }
const python: Words = { ...json, null: 'None', true: 'True', false: 'False', step: '    ' }
const go: Words = { ...json, null: 'nil', object: ['map[string]any{', '}'], list: ['[]any{', '}'], step: '\t' }

// A JSON value as a literal of a language whose strings are JSON's: all of ours. Go wants the last comma.
function literal(value: unknown, words: Words, indent: string): string {
  if (value === null || value === undefined) return words.null
  if (typeof value === 'boolean') return value ? words.true : words.false
  if (typeof value !== 'object') return JSON.stringify(value)
  const deeper = indent + words.step
  const [open, close] = Array.isArray(value) ? words.list : words.object
  const parts = Array.isArray(value)
    ? value.map((item) => literal(item, words, deeper))
    : Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${literal(item, words, deeper)}`)
  if (parts.length === 0) return open + close
  return `${open}\n${parts.map((part) => `${deeper}${part},\n`).join('')}${indent}${close}`
}
