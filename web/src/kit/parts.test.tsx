import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { act as done, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMemoryRouter, RouterProvider, useLocation } from 'react-router-dom'
import type { ReactElement } from 'react'
import { all, DataTable, FilterBar, Form, FormActs, LangProvider, MoneyField, parseMoney, Parts, Problem, TextField, useAct, useForm, type Column, type Listing } from '.'
import { secondsLeft } from './Progress'

afterEach(cleanup)

function show(element: ReactElement, at = '/') {
  const router = createMemoryRouter([{ path: '*', element }], { initialEntries: [at] })
  return render(
    <QueryClientProvider client={new QueryClient()}>
      <LangProvider lang="en" setLang={() => {}}><RouterProvider router={router} /></LangProvider>
    </QueryClientProvider>,
  )
}

function Where() {
  const { pathname, search } = useLocation()
  return <output>{pathname + search}</output>
}
const where = () => document.querySelector('output')?.textContent

interface Bun { id: string; name: string; left: number }
const buns: Bun[] = [{ id: '1', name: 'Pork bun', left: 12 }, { id: '2', name: 'Bean bun', left: 3 }, { id: '3', name: 'Leek bun', left: 100 }]
const columns: Column<Bun>[] = [
  { key: 'name', head: 'Product', cell: (b) => b.name, by: (b) => b.name },
  { key: 'left', head: 'Left', unit: 'pcs', right: true, cell: (b) => b.left, by: (b) => b.left },
]
const table = (rows: Listing<Bun>) => <><DataTable label="Buns" rows={rows} columns={columns} rowKey={(b) => b.id} to={(b) => `/buns/${b.id}`} empty={<p>Import goods first.</p>} /><Where /></>
const namesShown = () => [...document.querySelectorAll('tbody tr')].map((tr) => tr.querySelector('td')?.textContent)

describe('a list', () => {
  test('says how many, and the unit once in the head', () => {
    show(table(all(buns)))
    expect(screen.getByText('3 rows')).toBeTruthy()
    expect(screen.getAllByText('pcs', { exact: false })).toHaveLength(1)
  })

  test('is walked with the arrow keys and opened with Enter', () => {
    show(table(all(buns)))
    const rows = screen.getAllByRole('row').slice(1)
    done(() => rows[0]!.focus())
    fireEvent.keyDown(rows[0]!, { key: 'ArrowDown' })
    expect(document.activeElement).toBe(rows[1])
    fireEvent.keyDown(rows[1]!, { key: 'End' })
    expect(document.activeElement).toBe(rows[2])
    fireEvent.keyDown(rows[2]!, { key: 'ArrowDown' })
    expect(document.activeElement).toBe(rows[2])
    fireEvent.keyDown(rows[2]!, { key: 'Enter' })
    expect(where()).toBe('/buns/3')
  })

  test('sorts up, down and back when all rows are here', () => {
    show(table(all(buns)))
    const head = screen.getByRole('button', { name: /Left/ })
    fireEvent.click(head)
    expect(namesShown()).toEqual(['Bean bun', 'Pork bun', 'Leek bun'])
    fireEvent.click(head)
    expect(namesShown()).toEqual(['Leek bun', 'Pork bun', 'Bean bun'])
    fireEvent.click(head)
    expect(namesShown()).toEqual(['Pork bun', 'Bean bun', 'Leek bun'])
  })

  test('offers no sorting of a part, but the next page', () => {
    const more = vi.fn()
    show(table({ ...all(buns), more }))
    expect(screen.queryByRole('button', { name: /Left/ })).toBeNull()
    fireEvent.click(screen.getByRole('button', { name: 'Show more' }))
    expect(more).toHaveBeenCalledTimes(1)
  })

  test('empty, it says what to do first; failed, it offers to try again', () => {
    const { unmount } = show(table(all([])))
    expect(screen.getByText('Import goods first.')).toBeTruthy()
    unmount()
    const again = vi.fn()
    show(table({ ...all<Bun>([]), problem: new Problem(0, 'offline', ''), again }))
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(again).toHaveBeenCalledTimes(1)
  })

  test('keeps its filters in the address', () => {
    const filters = [{ kind: 'choice' as const, name: 'state', label: 'State', options: [{ value: 'paid', label: 'Paid' }] }, { kind: 'flag' as const, name: 'open', label: 'Open only' }]
    show(<><FilterBar filters={filters} /><Where /></>, '/sales?state=paid&site=7')
    fireEvent.click(screen.getByRole('button', { name: 'Open only' }))
    expect(where()).toBe('/sales?state=paid&site=7&open=1')
    fireEvent.click(screen.getByRole('button', { name: 'Remove “State”' }))
    expect(where()).toBe('/sales?site=7&open=1')
  })
})

function PriceForm(props: { save: (body: { name: string; price_fen: number }) => Promise<object> }) {
  const doing = useAct(props.save)
  const form = useForm({
    initial: { name: '', price: '' }, doing,
    check: (v): Record<string, string> => (v.name === '' ? { name: 'Give it a name' } : {}),
    body: (v) => ({ name: v.name, price_fen: parseMoney(v.price) ?? 0 }),
    rename: (field) => (field === 'price_fen' ? 'price' : field),
  })
  return (
    <Form form={form} label="New price">
      <TextField form={form} name="name" label="Name" />
      <MoneyField form={form} name="price" label="Price" />
      <FormActs form={form} />
    </Form>
  )
}

describe('a form', () => {
  const type = (label: string, value: string) => fireEvent.change(screen.getByLabelText(label), { target: { value } })
  const send = () => done(async () => void fireEvent.submit(screen.getByRole('form')))

  test('sends nothing that is plainly empty, and points at it', async () => {
    const save = vi.fn()
    show(<PriceForm save={save} />)
    await send()
    expect(save).not.toHaveBeenCalled()
    expect(screen.getByText('Give it a name')).toBeTruthy()
    expect(document.activeElement).toBe(screen.getByLabelText('Name'))
  })

  test('shows what the server refuses at its field', async () => {
    show(<PriceForm save={() => Promise.reject(new Problem(422, 'price_low', 'Below cost', [{ field: 'price_fen', code: 'price_low', detail: 'Below cost' }]))} />)
    type('Name', 'Bun')
    type('Price', '0.10')
    await send()
    expect(screen.getByLabelText('Price').getAttribute('aria-invalid')).toBe('true')
    expect(screen.getByText('Below cost')).toBeTruthy()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  test('shows above what names no field on the screen, and never loses it', async () => {
    show(<PriceForm save={() => Promise.reject(new Problem(409, 'closed', 'The day is closed', [{ field: 'business_date', code: 'closed', detail: 'The day is closed' }]))} />)
    type('Name', 'Bun')
    await send()
    expect(screen.getByRole('alert').textContent).toContain('The day is closed')
  })

  test('sends fen', async () => {
    const save = vi.fn(() => Promise.resolve({}))
    show(<PriceForm save={save} />)
    type('Name', 'Bun')
    type('Price', '1,200.50')
    await send()
    expect(save).toHaveBeenCalledWith({ name: 'Bun', price_fen: 120050 }, expect.anything())
  })
})

describe('why', () => {
  const f = (n: number) => n.toFixed(2)
  test('parts that add up say nothing more', () => {
    show(<Parts parts={[{ label: 'Base', value: 10 }, { label: 'Rain', value: -2.5 }]} total={7.5} format={f} />)
    expect(screen.queryByRole('alert')).toBeNull()
  })
  test('parts that do not add up are called out', () => {
    show(<Parts parts={[{ label: 'Base', value: 10 }]} total={7.5} format={f} />)
    expect(screen.getByRole('alert').textContent).toContain('-2.50')
  })
})

test('the time left is measured, and not named before there is a pace', () => {
  expect(secondsLeft([{ at: 0, done: 0 }], 100)).toBeUndefined()
  expect(secondsLeft([{ at: 0, done: 0 }, { at: 500, done: 10 }], 100)).toBeUndefined()
  expect(secondsLeft([{ at: 0, done: 0 }, { at: 5000, done: 50 }], 100)).toBe(5)
  expect(secondsLeft([{ at: 0, done: 5 }, { at: 5000, done: 5 }], 100)).toBeUndefined()
})
