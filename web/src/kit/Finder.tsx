import { SearchOutlined } from '@ant-design/icons'
import { Modal } from 'antd'
import { useContext, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { useNavigate } from 'react-router-dom'
import { useText, type T, type Words } from './i18n'
import { useSession } from './session'
import { kitText } from './words'
import { FinderPages } from './finderPages'

export interface Found {
  id: string
  title: string
  note?: string
  to: string
}

/** A kind of thing that can be found by what is typed: a number, a barcode, a name. */
export interface FindSource {
  kind: string
  perm: string
  label: (t: 'zh' | 'en') => string
  find: (q: string, signal: AbortSignal, lang: 'zh' | 'en') => Promise<Found[]>
}

interface Group {
  label: string
  found: Found[]
}

export function Finder(props: { open: boolean; onClose: () => void; sources: readonly FindSource[] }) {
  const k = useText(kitText)
  return (
    <Modal open={props.open} onCancel={props.onClose} footer={null} closable={false} destroyOnHidden width={640} style={{ top: 72 }} className="zg-finder" title={<span className="zg-hidden">{k('find')}</span>} transitionName="" maskTransitionName="">
      {props.open && <FinderBody {...props} />}
    </Modal>
  )
}

function FinderBody(props: { onClose: () => void; sources: readonly FindSource[] }) {
  const k = useText(kitText)
  const { can } = useSession()
  const { pages, text, lang } = useContext(FinderPages)
  const t = useText(text) as T<Words>
  const go = useNavigate()
  const [q, setQ] = useState('')
  const [groups, setGroups] = useState<Group[]>([])
  const [busy, setBusy] = useState(false)
  const [at, setAt] = useState(0)
  const list = useId()
  const input = useRef<HTMLInputElement>(null)

  useEffect(() => input.current?.focus(), [])

  const pagesFound = useMemo<Group>(() => {
    const word = q.trim().toLowerCase()
    return {
      label: k('find_pages'),
      found: pages
        .filter((page) => page.icon && can(page.perm) && (word === '' || t(page.title).toLowerCase().includes(word)))
        .map((page) => ({ id: page.path, title: t(page.title), to: page.path })),
    }
  }, [pages, can, t, k, q])

  useEffect(() => {
    const word = q.trim()
    if (word.length < 1) {
      setGroups([])
      return
    }
    const stop = new AbortController()
    const timer = setTimeout(() => {
      setBusy(true)
      void Promise.all(
        props.sources.filter((s) => can(s.perm)).map(async (s) => ({ label: s.label(lang), found: await s.find(word, stop.signal, lang).catch(() => []) })),
      ).then((all) => {
        if (stop.signal.aborted) return
        setGroups(all.filter((g) => g.found.length > 0))
        setBusy(false)
      })
    }, 150)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [q, props.sources, can, lang])

  const all = [...groups, pagesFound].filter((g) => g.found.length > 0)
  const flat = all.flatMap((g) => g.found)
  const chosen = Math.min(at, flat.length - 1)

  const open = (found: Found | undefined) => {
    if (!found) return
    props.onClose()
    void go(found.to)
  }
  const onKey = (e: KeyboardEvent) => {
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp') {
      e.preventDefault()
      const step = e.key === 'ArrowDown' ? 1 : -1
      setAt(flat.length ? (chosen + step + flat.length) % flat.length : 0)
    } else if (e.key === 'Enter') {
      e.preventDefault()
      open(flat[chosen])
    }
  }

  let index = -1
  return (
    <div onKeyDown={onKey}>
      <div className="zg-finder-input">
        <SearchOutlined aria-hidden />
        <input ref={input} value={q} onChange={(e) => { setQ(e.target.value); setAt(0) }} placeholder={k('find_hint')} aria-label={k('find_hint')}
          role="combobox" aria-expanded="true" aria-controls={list} aria-activedescendant={flat.length ? `${list}-${chosen}` : undefined} autoComplete="off" spellCheck={false} maxLength={64} />
      </div>
      <div id={list} role="listbox" className="zg-finder-list" aria-busy={busy} aria-label={k('find')}>
        {all.map((group) => (
          <div key={group.label} role="group" aria-label={group.label}>
            <div className="zg-finder-group">{group.label}</div>
            {group.found.map((found) => {
              index++
              const n = index
              return (
                <div key={found.id} id={`${list}-${n}`} role="option" aria-selected={n === chosen} className="zg-finder-row" onClick={() => open(found)} onMouseMove={() => setAt(n)}
                  ref={n === chosen ? (el) => el?.scrollIntoView({ block: 'nearest' }) : null}>
                  <span>{found.title}</span>{found.note && <span className="zg-note">{found.note}</span>}
                </div>
              )
            })}
          </div>
        ))}
        {flat.length === 0 && !busy && <p className="zg-note zg-finder-none">{k('find_none', { q: q.trim() })}</p>}
      </div>
    </div>
  )
}
