import { UploadOutlined } from '@ant-design/icons'
import { asProblem, Problem, ProblemBox, Progress, Strip, upload, useFormat, useText, type Import, type ImportKind } from '@kit'
import { useQueryClient } from '@tanstack/react-query'
import { Button } from 'antd'
import { useRef, useState, type DragEvent } from 'react'
import { importsText } from './shared'

const largest = 256 * 1024 * 1024

/** Takes a file by drag or choice and sends it, with the bytes that are over as its progress. */
export function Drop(props: { kind: ImportKind; done: (made: Import) => void; small?: boolean }) {
  const t = useText(importsText)
  const f = useFormat()
  const queries = useQueryClient()
  const input = useRef<HTMLInputElement>(null)
  const [over, setOver] = useState(false)
  const [sending, setSending] = useState<{ name: string; done: number; all: number }>()
  const [problem, setProblem] = useState<Problem>()
  const [big, setBig] = useState(false)

  const send = async (file: File | undefined) => {
    if (!file || sending) return
    setProblem(undefined)
    setBig(file.size > largest)
    if (file.size > largest) return
    setSending({ name: file.name, done: 0, all: file.size })
    const query = new URLSearchParams({ kind: props.kind, file_name: file.name })
    try {
      const made = (await upload(`/api/imports?${query}`, file, (done, all) => setSending({ name: file.name, done, all }))) as Import
      await queries.invalidateQueries({ queryKey: ['imports'] })
      props.done(made)
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setSending(undefined)
      if (input.current) input.current.value = ''
    }
  }
  const drop = (e: DragEvent) => {
    e.preventDefault()
    setOver(false)
    void send(e.dataTransfer.files[0])
  }
  const mb = (bytes: number) => f.number(bytes / 1_000_000, 1)
  return (
    <div className="zg-stack">
      <div className={`zg-drop${over ? ' zg-drop-over' : ''}${props.small ? ' zg-drop-small' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)} onDrop={drop}>
        {sending ? (
          <Progress label={t('uploading', { name: sending.name })} done={sending.done} total={sending.all} note={t('bytes', { done: mb(sending.done), all: mb(sending.all) })} plain />
        ) : (
          <>
            {!props.small && <strong>{t('drop')}</strong>}
            <Button icon={<UploadOutlined />} {...(props.small ? {} : { type: 'primary' as const })} onClick={() => input.current?.click()}>{props.small ? t('fix_retry') : t('choose_file')}</Button>
            {!props.small && <span className="zg-note">{t('drop_note')}</span>}
          </>
        )}
        <input ref={input} type="file" accept=".csv,.gz,.txt,.xlsx,text/csv" hidden aria-label={t('choose_file')} onChange={(e) => void send(e.target.files?.[0])} />
      </div>
      {big && <Strip tone="red">{t('too_big')}</Strip>}
      {problem && <ProblemBox problem={problem} />}
    </div>
  )
}
