import { code128, ean13 } from './barcode'

/** A code as bars that every scanner reads, always black on white: EAN-13 for thirteen digits, else Code 128. */
export function Bars(props: { code: string; height?: number }) {
  const ean = ean13(props.code)
  const bars = ean || code128(props.code)
  if (bars === '') return null
  const quiet = ean ? 9 : 10
  const width = bars.length + 2 * quiet
  return (
    <svg className="zg-bars" viewBox={`${-quiet} 0 ${width} 40`} width={width * 2} height={props.height ?? 80} role="img" aria-label={props.code} preserveAspectRatio="xMidYMid meet">
      <rect x={-quiet} width={width} height="40" fill="#fff" />
      {[...bars].map((bar, i) => bar === '1' && <rect key={i} x={i} width="1.02" height="32" fill="#000" />)}
      <text x={bars.length / 2} y="39" textAnchor="middle" fontSize="7" fill="#000" fontFamily="monospace">{props.code}</text>
    </svg>
  )
}
