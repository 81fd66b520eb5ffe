import { useAct } from '@kit/api'
import { useText } from '@kit/i18n'
import { PageHead } from '@kit/Shell'
import { useSession } from '@kit/session'
import { useSite } from '@kit/site'
import { ProblemBox, Strip } from '@kit/states'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { Among } from './Among'
import { BatchRow } from './BatchRow'
import { lookup, type Found } from './lookup'
import { Scanner } from './Scanner'
import { scanText } from './text'

/** Whatever has a code: what it is, and what can be done with it. */
export default function Scan() {
  const t = useText(scanText)
  const { site } = useSite()
  const { can } = useSession()
  const [found, setFound] = useState<Found>()
  const look = useAct((code: string) => lookup(site!.id, code, can))
  const scanned = (code: string) => {
    if (site) void look.run(code).then((f) => f && setFound(f))
  }
  const nothing = found && found.batches.length === 0 && found.orders.length === 0 && found.among.length === 0 && !found.product
  return (
    <>
      <PageHead title={t('title')} />
      <div className="zg-stack">
        <Scanner busy={look.busy} onCode={scanned} />
        {look.problem && <ProblemBox problem={look.problem} />}
        {nothing && <Strip tone="amber">{t('none', { code: found.code })}</Strip>}
        <Among found={found} choose={scanned} />
        {found?.product && <div><h2>{found.product.name}</h2><p className="zg-note">{found.product.code} · {found.batches.length === 0 ? t('no_batches') : t('price_note', { n: found.batches.length })}</p></div>}
        {found && found.batches.length > 0 && (
          <ul className="st-tasks">{found.batches.map((b) => <BatchRow key={b.id} batch={b} act={can('stock.manage') && Number(b.qty) > 0 && <Link className="st-act" to={`/discard?batch=${b.id}`}>{t('discard')}</Link>} />)}</ul>
        )}
        {found && found.orders.length > 0 && (
          <ul className="st-tasks">{found.orders.map((o) => <li key={o.id} className="st-task"><div><b>{t('order', { no: o.no })}</b><span className="zg-note">{o.supplier_name}</span></div>{can('stock.manage') && <Link className="st-act" to={`/receive/${o.id}`}>{t('receive')}</Link>}</li>)}</ul>
        )}
      </div>
    </>
  )
}
