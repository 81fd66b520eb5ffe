import { Drawer } from 'antd'
import { useState, type ReactNode } from 'react'
import { Link } from 'react-router-dom'
import { useText } from './i18n'
import { Strip } from './states'
import { kitText } from './words'

// Every figure opens: the parts that add up to it, and the documents they come from.

export interface Part {
  label: ReactNode
  value: number
  note?: ReactNode
  /** the document or list behind this part */
  to?: string
}

interface PartsProps {
  parts: readonly Part[]
  total: number
  totalLabel?: string
  format: (value: number) => string
  /** parts may miss the total by this much through rounding of what is shown (default: nothing) */
  slack?: number
}

/** Parts with bars from a common zero, and their sum; says so if they do not add up. */
export function Parts(props: PartsProps) {
  const t = useText(kitText)
  const sum = props.parts.reduce((a, p) => a + p.value, 0)
  const reach = Math.max(1e-9, ...props.parts.map((p) => Math.abs(p.value)))
  const negative = props.parts.some((p) => p.value < 0)
  const missing = props.total - sum
  return (
    <>
      <table className="zg-parts">
        <tbody>
          {props.parts.map((p, i) => {
            const share = (Math.abs(p.value) / reach) * (negative ? 50 : 100)
            return (
              <tr key={i}>
                <th scope="row">{p.to ? <Link to={p.to}>{p.label}</Link> : p.label}{p.note && <div className="zg-note">{p.note}</div>}</th>
                <td className="zg-parts-bar" aria-hidden>
                  <i style={{ width: `${share}%`, marginLeft: negative ? (p.value < 0 ? `${50 - share}%` : '50%') : 0, background: p.value < 0 ? 'var(--zg-series-2)' : 'var(--zg-series-1)' }} />
                </td>
                <td className="zg-num">{props.format(p.value)}</td>
              </tr>
            )
          })}
        </tbody>
        <tfoot>
          <tr><th scope="row">{props.totalLabel ?? t('total')}</th><td /><td className="zg-num">{props.format(props.total)}</td></tr>
        </tfoot>
      </table>
      {Math.abs(missing) > (props.slack ?? 0) + 1e-9 && <Strip tone="red">{t('does_not_add', { n: props.format(missing) })}</Strip>}
    </>
  )
}

export function WhyPanel(props: { open: boolean; onClose: () => void; title: ReactNode; lead?: string; children: ReactNode }) {
  const t = useText(kitText)
  return (
    <Drawer open={props.open} onClose={props.onClose} title={<span><span className="zg-note">{props.lead ?? t('why')}</span><br />{props.title}</span>} size="min(460px, 100vw)" destroyOnHidden closable={{ 'aria-label': t('close') }}>
      {/* It stands in its own place of the page, but React hands its events to what opened it: a form in here must not send the one around it. */}
      {props.open && <div className="zg-why" onSubmit={(e) => e.stopPropagation()}>{props.children}</div>}
    </Drawer>
  )
}

/** A figure that opens its panel. */
export function Why(props: { title: ReactNode; figure: ReactNode; children: ReactNode }) {
  const t = useText(kitText)
  const [open, setOpen] = useState(false)
  return (
    <>
      <button type="button" className="zg-why-figure" onClick={() => setOpen(true)} title={t('why')} aria-haspopup="dialog">{props.figure}</button>
      <WhyPanel open={open} onClose={() => setOpen(false)} title={props.title}>{props.children}</WhyPanel>
    </>
  )
}

/** A large figure with its name, its base for comparison, and its parts. */
export function Figure(props: { label: string; value: ReactNode; note?: ReactNode; why?: ReactNode; whyTitle?: string }) {
  return (
    <div className="zg-figure">
      <span className="zg-figure-label">{props.label}</span>
      <span className="zg-figure-value">{props.why ? <Why title={props.whyTitle ?? props.label} figure={props.value}>{props.why}</Why> : props.value}</span>
      {props.note && <span className="zg-note">{props.note}</span>}
    </div>
  )
}
