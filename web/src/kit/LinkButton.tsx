import { Button } from 'antd'
import type { MouseEvent, ReactNode } from 'react'
import { useHref, useNavigate } from 'react-router-dom'

/** A page that is gone to by a button: a link for the browser (new tab, address), a button to look at. */
export function LinkButton(props: { to: string; primary?: boolean; children: ReactNode }) {
  const go = useNavigate()
  const href = useHref(props.to)
  const follow = (e: MouseEvent<HTMLElement>) => {
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return
    e.preventDefault()
    void go(props.to)
  }
  return <Button type={props.primary ? 'primary' : 'default'} href={href} onClick={follow}>{props.children}</Button>
}
