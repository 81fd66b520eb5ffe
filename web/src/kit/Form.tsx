import { Button, Checkbox, Input, Select, Switch } from 'antd'
import { createContext, useCallback, useContext, useEffect, useId, useMemo, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { useBlocker } from 'react-router-dom'
import type { Doing, FieldError, Problem } from './api'
import { useText } from './i18n'
import { Strip, useProblemWords } from './states'
import { kitText } from './words'

// A form keeps its values as typed. The server is the judge: its field errors are shown at the
// fields, everything else in a strip above. `check` only spares a round trip for what is plainly empty.

export interface FormState<V extends object> {
  values: V
  set: <K extends keyof V>(name: K, value: V[K]) => void
  change: (next: Partial<V>) => void
  dirty: boolean
  busy: boolean
  problem: Problem | undefined
  /** refused fields by our names */
  refused: readonly FieldError[]
  errorOf: (path: string) => string | undefined
  submit: () => Promise<void>
  reset: (values?: V) => void
}

interface Options<V extends object, B, D> {
  initial: V
  /** what must not be empty */
  required?: readonly (keyof V & string)[]
  /** paths and messages of what else cannot be sent at all */
  check?: (values: V) => Record<string, string>
  body: (values: V) => B
  doing: Doing<B, D>
  done?: (data: D, values: V) => void
  /** server's name of a field → ours, where they differ */
  rename?: (field: string) => string
}

export function useForm<V extends object, B, D>(o: Options<V, B, D>): FormState<V> {
  const [values, setValues] = useState(o.initial)
  const [base, setBase] = useState(o.initial)
  const [own, setOwn] = useState<Record<string, string>>({})
  const { doing } = o
  const t = useText(kitText)
  const latest = useRef(o)
  latest.current = o

  const dirty = useMemo(() => JSON.stringify(values) !== JSON.stringify(base), [values, base])
  const refused = useMemo(
    () => (doing.problem?.fields ?? []).map((f) => ({ ...f, field: latest.current.rename?.(f.field) ?? f.field })),
    [doing.problem],
  )
  const errors = useMemo(() => {
    const all: Record<string, string> = { ...own }
    for (const f of refused) all[f.field] ??= f.detail
    return all
  }, [own, refused])

  const change = useCallback((next: Partial<V>) => setValues((old) => ({ ...old, ...next })), [])
  return {
    values, dirty, change,
    set: (name, value) => {
      setValues((old) => ({ ...old, [name]: value }))
      if (String(name) in own) setOwn(({ [String(name)]: _, ...rest }) => rest)
    },
    busy: doing.busy,
    problem: doing.problem,
    refused,
    errorOf: (path) => errors[path],
    submit: async () => {
      const empty = (o.required ?? []).filter((name) => String(values[name] ?? '').trim() === '')
      const wrong = { ...o.check?.(values), ...Object.fromEntries(empty.map((name) => [name, t('required')])) }
      setOwn(wrong)
      if (Object.keys(wrong).length > 0) {
        doing.clear()
        return
      }
      const data = await doing.run(o.body(values))
      if (data === undefined) return
      setBase(values)
      latest.current.done?.(data as D, values)
    },
    reset: (next) => {
      setValues(next ?? base)
      if (next) setBase(next)
      setOwn({})
      doing.clear()
    },
  }
}

interface FormValue {
  errorOf: (path: string) => string | undefined
  shown: Set<string>
  prefix: string
}
const FormContext = createContext<FormValue>({ errorOf: () => undefined, shown: new Set(), prefix: '' })

interface FormProps<V extends object> {
  form: FormState<V>
  children: ReactNode
  label?: string
  /** leaving with unsaved changes is asked about (default) */
  guard?: boolean
}

/** Enter submits; after a refusal the first wrong field has the focus. */
export function Form<V extends object>(props: FormProps<V>) {
  const { form } = props
  const prefix = useId()
  const shown = useRef(new Set<string>()).current
  const element = useRef<HTMLFormElement>(null)
  const words = useProblemWords()
  const t = useText(kitText)
  const [tries, setTries] = useState(0)

  useEffect(() => {
    if (tries === 0) return
    element.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [tries, form.problem])

  const submit = async (e: FormEvent) => {
    e.preventDefault()
    e.stopPropagation()
    if (form.busy) return
    await form.submit()
    setTries((n) => n + 1)
  }
  const value = { errorOf: form.errorOf, shown, prefix }
  // What names no field that is on the screen goes above all.
  const homeless = form.refused.filter((f) => !shown.has(f.field))
  // a sign-in that ran out is renewed on top of the page; the form is sent again then
  const above = form.problem && form.problem.status !== 401 && (form.refused.length === 0 || homeless.length > 0)
  return (
    <FormContext.Provider value={value}>
      <form ref={element} className="zg-form" onSubmit={(e) => void submit(e)} aria-label={props.label} noValidate>
        {above && form.problem && (
          <Strip tone="red">
            {homeless.length > 0 ? homeless.map((f, i) => <div key={i}>{f.row ? t('row_of', { n: f.row }) : ''}{f.detail || words(form.problem!)}</div>) : words(form.problem)}
          </Strip>
        )}
        {props.children}
        {(props.guard ?? true) && <Guard dirty={form.dirty && !form.busy} />}
      </form>
    </FormContext.Provider>
  )
}

function Guard(props: { dirty: boolean }) {
  const t = useText(kitText)
  const blocker = useBlocker(({ currentLocation, nextLocation }) => props.dirty && currentLocation.pathname !== nextLocation.pathname)
  useEffect(() => {
    if (!props.dirty) return
    const stay = (e: BeforeUnloadEvent) => e.preventDefault()
    addEventListener('beforeunload', stay)
    return () => removeEventListener('beforeunload', stay)
  }, [props.dirty])
  if (blocker.state !== 'blocked') return null
  return (
    <div className="zg-guard" role="alertdialog" aria-label={t('unsaved')}>
      <Strip tone="amber" action={<span className="zg-acts"><Button size="small" onClick={() => blocker.reset()} autoFocus>{t('stay')}</Button><Button size="small" danger onClick={() => blocker.proceed()}>{t('leave')}</Button></span>}>
        {t('unsaved')}
      </Strip>
    </div>
  )
}

export interface ControlProps {
  id: string
  'aria-invalid': boolean
  'aria-describedby': string | undefined
  status: 'error' | ''
}

/** A label, a control, what it means, and what the server said about it. */
export function Field(props: { name: string; label: string; hint?: ReactNode; required?: boolean; width?: 's' | 'm' | 'l'; children: (control: ControlProps) => ReactNode }) {
  const { errorOf, shown, prefix } = useContext(FormContext)
  const t = useText(kitText)
  const id = `${prefix}${props.name}`
  const error = errorOf(props.name)
  useEffect(() => {
    shown.add(props.name)
    return () => void shown.delete(props.name)
  }, [shown, props.name])
  const note = error || props.hint ? `${id}-note` : undefined
  return (
    <div className={`zg-field zg-field-${props.width ?? 'm'}${error ? ' zg-field-wrong' : ''}`}>
      <label htmlFor={id}>{props.label}{props.required === false && <span className="zg-note"> {t('optional')}</span>}</label>
      {props.children({ id, 'aria-invalid': Boolean(error), 'aria-describedby': note, status: error ? 'error' : '' })}
      {note && <span id={note} className="zg-note">{error ?? props.hint}</span>}
    </div>
  )
}

type KeysOf<V, X> = { [K in keyof V]: V[K] extends X ? K : never }[keyof V] & string
interface FieldProps<V extends object, X> {
  form: FormState<V>
  name: KeysOf<V, X>
  label: string
  hint?: ReactNode
  required?: boolean
  width?: 's' | 'm' | 'l'
  disabled?: boolean
}

const fieldOf = <V extends object, X>(p: FieldProps<V, X>) => ({
  name: p.name, label: p.label,
  ...(p.hint === undefined ? {} : { hint: p.hint }),
  ...(p.required === undefined ? {} : { required: p.required }),
  ...(p.width === undefined ? {} : { width: p.width }),
})

type TextKind = { maxLength?: number; suffix?: string; inputMode?: 'decimal' | 'numeric' | 'text'; right?: boolean; autoFocus?: boolean; placeholder?: string }

export function TextField<V extends object>(p: FieldProps<V, string> & TextKind) {
  return (
    <Field {...fieldOf(p)}>
      {(c) => (
        <Input {...c} value={p.form.values[p.name] as string} disabled={p.disabled} maxLength={p.maxLength ?? 200} suffix={p.suffix} inputMode={p.inputMode} autoFocus={p.autoFocus} placeholder={p.placeholder}
          className={p.right ? 'zg-input-right' : ''} autoComplete="off" onChange={(e) => p.form.set(p.name, e.target.value as V[typeof p.name])} />
      )}
    </Field>
  )
}

export function PasswordField<V extends object>(p: FieldProps<V, string> & { autoComplete?: string }) {
  return (
    <Field {...fieldOf(p)}>
      {(c) => <Input.Password {...c} value={p.form.values[p.name] as string} maxLength={128} autoComplete={p.autoComplete ?? 'new-password'} onChange={(e) => p.form.set(p.name, e.target.value as V[typeof p.name])} />}
    </Field>
  )
}

/** An amount as typed ("12.50"); the body turns it into fen with parseMoney. */
export function MoneyField<V extends object>(p: FieldProps<V, string>) {
  return <TextField {...p} inputMode="decimal" right suffix="¥" maxLength={16} />
}

export function DateField<V extends object>(p: FieldProps<V, string> & { min?: string; max?: string }) {
  return (
    <Field {...fieldOf(p)}>
      {({ status: _, ...c }) => <input {...c} type="date" className="zg-date" disabled={p.disabled} min={p.min} max={p.max} value={p.form.values[p.name] as string} onChange={(e) => p.form.set(p.name, e.target.value as V[typeof p.name])} />}
    </Field>
  )
}

export function TimeField<V extends object>(p: FieldProps<V, string>) {
  return (
    <Field {...fieldOf(p)}>
      {({ status: _, ...c }) => <input {...c} type="time" className="zg-date" disabled={p.disabled} value={p.form.values[p.name] as string} onChange={(e) => p.form.set(p.name, e.target.value as V[typeof p.name])} />}
    </Field>
  )
}

export function SelectField<V extends object>(p: FieldProps<V, string> & { options: readonly { value: string; label: string }[]; clear?: boolean }) {
  return (
    <Field {...fieldOf(p)}>
      {(c) => (
        <Select {...c} value={(p.form.values[p.name] as string) || undefined} disabled={p.disabled} allowClear={p.clear} showSearch={p.options.length > 8 ? { optionFilterProp: 'label' } : false} options={[...p.options]}
          onChange={(value: string | undefined) => p.form.set(p.name, (value ?? '') as V[typeof p.name])} />
      )}
    </Field>
  )
}

export function SwitchField<V extends object>(p: FieldProps<V, boolean>) {
  return (
    <Field {...fieldOf(p)}>
      {({ status: _, ...c }) => <span><Switch {...c} disabled={p.disabled} checked={p.form.values[p.name] as boolean} onChange={(on) => p.form.set(p.name, on as V[typeof p.name])} /></span>}
    </Field>
  )
}

export function ChecksField<V extends object>(p: FieldProps<V, string[]> & { options: readonly { value: string; label: ReactNode }[] }) {
  return (
    <Field {...fieldOf(p)} width={p.width ?? 'l'}>
      {(c) => <Checkbox.Group {...{ id: c.id }} className="zg-checks" value={p.form.values[p.name] as string[]} options={[...p.options]} onChange={(v) => p.form.set(p.name, v as V[typeof p.name])} />}
    </Field>
  )
}

/** The one primary action of the form, and the way back. */
export function FormActs<V extends object>(props: { form: FormState<V>; save?: string; onCancel?: () => void; disabled?: boolean; children?: ReactNode }) {
  const t = useText(kitText)
  return (
    <div className="zg-form-acts">
      <Button type="primary" htmlType="submit" disabled={props.disabled ?? false} loading={props.form.busy}>{props.save ?? t('save')}</Button>
      {props.onCancel && <Button onClick={props.onCancel}>{t('cancel')}</Button>}
      {props.children}
    </div>
  )
}
