import { CameraOutlined } from '@ant-design/icons'
import { isSeparatorKey, separatorShown } from '@kit/gs1'
import { useText } from '@kit/i18n'
import { Strip } from '@kit/states'
import { Button, Input, type InputRef } from 'antd'
import { useEffect, useRef, useState } from 'react'
import { scanText } from './text'

interface Detector {
  detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]>
}
type DetectorClass = new (options?: { formats: string[] }) => Detector

const detectorClass = (): DetectorClass | undefined => (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector

/** A code from the camera where the browser reads them, from a scanner that types, or by hand. */
export function Scanner(props: { onCode: (code: string) => void; note?: string; busy?: boolean }) {
  const t = useText(scanText)
  const [typed, setTyped] = useState('')
  const [camera, setCamera] = useState(false)
  const [trouble, setTrouble] = useState<'camera_none' | 'camera_refused'>()
  const video = useRef<HTMLVideoElement>(null)
  const input = useRef<InputRef>(null)
  const found = useRef(props.onCode)
  found.current = props.onCode

  useEffect(() => {
    if (!camera) return
    const Detector = detectorClass()
    let stream: MediaStream | undefined
    let over = false
    const look = async () => {
      if (!Detector || !navigator.mediaDevices) {
        setTrouble('camera_none')
        setCamera(false)
        return
      }
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
      } catch {
        setTrouble('camera_refused')
        setCamera(false)
        return
      }
      const screen = video.current
      if (over || !screen) return stream.getTracks().forEach((track) => track.stop())
      screen.srcObject = stream
      await screen.play().catch(() => undefined)
      const detector = new Detector()
      while (!over) {
        const codes = await detector.detect(screen).catch(() => [])
        if (codes[0] && !over) {
          navigator.vibrate?.(60)
          setCamera(false)
          found.current(codes[0].rawValue)
          return
        }
        await new Promise((next) => setTimeout(next, 150))
      }
    }
    void look()
    return () => {
      over = true
      stream?.getTracks().forEach((track) => track.stop())
    }
  }, [camera])

  const submit = () => {
    const code = typed.trim()
    if (code === '') return
    setTyped('')
    input.current?.focus()
    props.onCode(code)
  }
  return (
    <div className="zg-stack-s">
      {trouble && <Strip tone="amber">{t(trouble)}</Strip>}
      {camera && <video ref={video} className="st-video" muted playsInline />}
      {camera ? <Button block onClick={() => setCamera(false)}>{t('camera_off')}</Button>
        : detectorClass() !== undefined && <Button block size="large" icon={<CameraOutlined />} onClick={() => { setTrouble(undefined); setCamera(true) }}>{t('camera')}</Button>}
      <form className="st-typed" onSubmit={(e) => { e.preventDefault(); submit() }}>
        <Input ref={input} autoFocus aria-label={t('type')} placeholder={t('type')} maxLength={160} value={typed} onChange={(e) => setTyped(e.target.value)} onKeyDown={(e) => { if (isSeparatorKey(e)) { e.preventDefault(); setTyped((now) => now + separatorShown) } }} autoCapitalize="off" autoComplete="off" enterKeyHint="search" />
        <Button htmlType="submit" loading={props.busy ?? false}>{t('look')}</Button>
      </form>
      <p className="zg-note">{props.note ?? t('type_note')}</p>
    </div>
  )
}
