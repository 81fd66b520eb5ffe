/** One refused field of a form; `at` is a path such as "lines[2].qty". */
export interface FieldError {
  field: string
  code: string
  detail: string
  row?: number
}

/** Anything that kept an act from being done, as the reader is to see it. */
export class Problem extends Error {
  override readonly name = 'Problem'
  constructor(
    readonly status: number, // 0: no answer came
    readonly code: string, // the server's code; "offline" and "broken_answer" are ours
    detail: string,
    readonly fields: readonly FieldError[] = [],
    readonly field?: string,
    readonly row?: number,
  ) {
    super(detail)
  }
  /** No answer, or one that says nothing about whether the act was done: the same key must be tried again. */
  get unknown(): boolean {
    return this.status === 0 || this.status >= 500 || this.status === 408
  }
}

interface ProblemBody {
  status?: number
  code?: string
  title?: string
  detail?: string
  field?: string
  row?: number
  errors?: { code?: string; detail?: string; message?: string; field?: string; location?: string; row?: number }[] | null
}

// "body.lines[2].qty" and "/lines/2/qty" both mean lines[2].qty
export function fieldPath(raw: string): string {
  return raw
    .replace(/^#?\//, '')
    .replace(/\/(\d+)(?=\/|$)/g, '[$1]')
    .replace(/\//g, '.')
    .replace(/^(body|query|path)\.?/, '')
}

export async function problemOf(response: Response): Promise<Problem> {
  let body: ProblemBody = {}
  try {
    body = (await response.json()) as ProblemBody
  } catch {
    return new Problem(response.status, 'broken_answer', response.statusText || String(response.status))
  }
  const fields: FieldError[] = []
  for (const e of body.errors ?? []) {
    const field = fieldPath(e.field ?? e.location ?? '')
    fields.push({ field, code: e.code ?? body.code ?? '', detail: e.detail ?? e.message ?? '', ...(e.row === undefined ? {} : { row: e.row }) })
  }
  const field = body.field === undefined || body.field === '' ? undefined : fieldPath(body.field)
  const detail = body.detail ?? body.title ?? response.statusText
  if (field !== undefined && !fields.some((f) => f.field === field)) {
    fields.push({ field, code: body.code ?? '', detail, ...(body.row === undefined ? {} : { row: body.row }) })
  }
  return new Problem(response.status, body.code ?? String(response.status), detail, fields, field, body.row)
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem(0, 'offline', error instanceof Error ? error.message : String(error))
}
