import createClient, { type Middleware } from 'openapi-fetch'
import { keyFor } from './keys'
import { asProblem, Problem, problemOf } from './problem'
import type { paths } from './types'

// One client for all apps, typed from the OpenAPI document. It adds the language, the
// Idempotency-Key, bounded retries with the same key, and turns every failure into a Problem.

const state = { lang: 'zh-CN', who: '', onSignedOut: () => {} }

export function setClientLang(tag: string): void {
  state.lang = tag
}

/** Keys belong to a person: the next one at the same screen gets new ones. */
export function setClientCaller(id: string): void {
  state.who = id
}

/** Called when the server says 401 to anything but sign-in: the session is over. */
export function onSignedOut(fn: () => void): void {
  state.onSignedOut = fn
}

const retryAfter = [400, 1200, 3000] // ms; a shop's Wi-Fi blinks for seconds

const waitFor = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

async function sendWithRetry(request: Request): Promise<Response> {
  // A body can be read once; keep a copy for the next try.
  const body = request.method === 'GET' || request.body === null ? undefined : await request.clone().arrayBuffer()
  for (let tries = 0; ; tries++) {
    const pause = retryAfter[tries]
    try {
      const attempt = new Request(request.url, {
        method: request.method,
        headers: request.headers,
        ...(body === undefined ? {} : { body }),
        credentials: 'same-origin',
        signal: request.signal,
      })
      const response = await fetch(attempt)
      if (![502, 503, 504].includes(response.status) || pause === undefined) return response
    } catch (error) {
      if (request.signal.aborted || pause === undefined) throw error
    }
    await waitFor(pause)
  }
}

const manners: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', state.lang)
  },
}

export const client = createClient<paths>({ baseUrl: globalThis.location?.origin ?? 'http://localhost', fetch: sendWithRetry })
client.use(manners)

interface Answer<D> {
  data?: D
  error?: unknown
  response: Response
}

/** Awaits a typed call and gives its data, or throws a Problem. */
export async function must<D>(call: Promise<Answer<D>>): Promise<D> {
  let answer: Answer<D>
  try {
    answer = await call
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw asProblem(error)
  }
  if (answer.response.ok) return answer.data as D
  // openapi-fetch has read the body already
  const again = new Response(JSON.stringify(answer.error ?? {}), { status: answer.response.status, statusText: answer.response.statusText })
  const problem = await problemOf(again)
  if (problem.status === 401 && !answer.response.url.endsWith('/api/sign-in')) state.onSignedOut()
  throw problem
}

/**
 * An act: like must, for a call that writes. `what` names the act (route and content); the key it
 * gets is kept until the outcome is known. Pass `key` to keep it yourself (the till's queue does).
 */
export async function act<D>(what: unknown, call: (headers: { 'Idempotency-Key': string }) => Promise<Answer<D>>, key?: string): Promise<D> {
  const kept = key === undefined ? keyFor(state.who + JSON.stringify(what)) : { key, settle: () => {} }
  try {
    const data = await must(call({ 'Idempotency-Key': kept.key }))
    kept.settle()
    return data
  } catch (error) {
    if (error instanceof Problem && !error.unknown) kept.settle()
    throw error
  }
}

/** For a body that is no JSON (a file): progress is of bytes sent. */
export function upload(path: string, file: Blob, onProgress: (sent: number, all: number) => void, signal?: AbortSignal): Promise<unknown> {
  const kept = keyFor(`${state.who}POST${path}${file.size}`)
  return new Promise((done, failed) => {
    const xhr = new XMLHttpRequest()
    xhr.open('POST', path)
    xhr.setRequestHeader('Accept-Language', state.lang)
    xhr.setRequestHeader('Idempotency-Key', kept.key)
    xhr.setRequestHeader('Content-Type', 'text/csv')
    xhr.upload.onprogress = (e) => onProgress(e.loaded, e.total || file.size)
    xhr.onload = () => {
      const response = new Response(xhr.status === 204 ? null : xhr.responseText, { status: xhr.status, statusText: xhr.statusText })
      if (xhr.status < 500) kept.settle()
      if (response.ok) {
        response.json().then(done, failed)
        return
      }
      if (xhr.status === 401) state.onSignedOut()
      problemOf(response).then(failed, failed)
    }
    xhr.onerror = () => failed(new Problem(0, 'offline', ''))
    xhr.onabort = () => failed(new DOMException('', 'AbortError'))
    signal?.addEventListener('abort', () => xhr.abort())
    xhr.send(file)
  })
}
