import { useText, type Style, type StyleVariant } from '@kit'
import type { ReactNode } from 'react'
import { styleText } from './text'

/** Every combination of all values but those of the last attribute, which are the columns. */
function rowsOf(style: Style): string[][] {
  return style.axes.slice(0, -1).reduce<string[][]>((all, axis) => all.flatMap((c) => axis.values.map((v) => [...c, v.id ?? ''])), [[]])
}

export const comboKey = (values: readonly string[]) => values.join(',')

/** All combinations there can be. */
export const everyCombo = (style: Style): string[][] => rowsOf(style).flatMap((row) => (style.axes.at(-1)?.values ?? []).map((v) => [...row, v.id ?? '']))

/** The grid of a style: what is in each place is the caller's, a product or none. */
export function Matrix(props: { style: Style; label: string; cell: (variant: StyleVariant | undefined, values: string[], name: string) => ReactNode; foot?: (column: string) => ReactNode }) {
  const { style } = props
  const t = useText(styleText)
  const last = style.axes.at(-1)
  if (!last) return null
  const named = new Map(style.axes.flatMap((a) => a.values.map((v) => [v.id ?? '', v.name] as const)))
  const found = new Map(style.variants.map((v) => [comboKey(v.values), v]))
  return (
    <div className="zg-table-scroll">
      <table className="zg-table zg-table-plain" aria-label={props.label}>
        <thead>
          <tr>
            {style.axes.slice(0, -1).map((a) => <th key={a.name} scope="col">{a.name}</th>)}
            {last.values.map((v) => <th key={v.id} scope="col">{v.name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rowsOf(style).map((row) => (
            <tr key={comboKey(row)}>
              {row.map((v, i) => <th key={i} scope="row">{named.get(v)}</th>)}
              {last.values.map((v) => {
                const values = [...row, v.id ?? '']
                return <td key={v.id} style={{ whiteSpace: 'nowrap' }}>{props.cell(found.get(comboKey(values)), values, values.map((x) => named.get(x)).join(' '))}</td>
              })}
            </tr>
          ))}
        </tbody>
        {props.foot && (
          <tfoot><tr>{style.axes.length > 1 && <td colSpan={style.axes.length - 1}>{t('total')}</td>}{last.values.map((v) => <td key={v.id}>{props.foot?.(v.id ?? '')}</td>)}</tr></tfoot>
        )}
      </table>
    </div>
  )
}
