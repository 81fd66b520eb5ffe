import { BarChartOutlined, TableOutlined } from '@ant-design/icons'
import { Button } from 'antd'
import type { EChartsOption, SeriesOption } from 'echarts'
import type { EChartsType } from 'echarts/core'
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { useText } from './i18n'
import { useTheme } from './theme'
import { fontFamily, type Palette } from './tokens'
import { kitText } from './words'

type Values = readonly (number | null)[]

export interface ChartSeries {
  name: string
  kind: 'line' | 'bar'
  data: Values
  /** compare: what the main series is judged against; always given, always drawn in grey */
  role?: 'main' | 'compare' | 'extra'
  dashed?: boolean
  /** points drawn hollow: their value is not what was counted (a day that sold out) */
  hollow?: readonly number[]
}

export interface ChartBand {
  name: string
  low: Values
  high: Values
}

export interface ChartSpec {
  x: readonly string[]
  /** short form under the axis */
  xWord?: (x: string) => string
  /** long form in the tooltip and the table */
  xTitle?: (x: string) => string
  xHead: string
  unit: string
  format: (value: number) => string
  series: readonly ChartSeries[]
  bands?: readonly ChartBand[]
  /** from this index on it is the future */
  now?: { index: number; word: string }
  onPick?: (index: number) => void
}

const seriesColours: readonly (keyof Palette)[] = ['series1', 'series2', 'series3', 'series4']

function colourOf(spec: ChartSpec, i: number, p: Palette): string {
  const s = spec.series[i]!
  if (s.role === 'compare') return p.compare
  const n = spec.series.slice(0, i).filter((other) => other.role !== 'compare').length
  return p[seriesColours[n % seriesColours.length]!]
}

const lastOf = (data: Values): number => data.findLastIndex((v) => v !== null)

/** Names stand at the ends of lines where they fit; else in a key above. */
const keyed = (spec: ChartSpec, width: number): boolean =>
  width < 560 || spec.series.length > 2 || spec.series.some((s) => s.kind === 'bar') || (spec.bands?.length ?? 0) > 0

function build(spec: ChartSpec, p: Palette, width: number): EChartsOption {
  const direct = !keyed(spec, width)
  const label = { fontFamily, fontSize: 12, color: p.ink3 }
  const list: SeriesOption[] = []
  for (const band of spec.bands ?? []) {
    const hidden = { type: 'line' as const, symbol: 'none', lineStyle: { width: 0 }, silent: true, stack: band.name, emphasis: { disabled: true }, tooltip: { show: false } }
    list.push({ ...hidden, name: `${band.name}\u0000low`, data: [...band.low], areaStyle: { opacity: 0 } })
    list.push({ ...hidden, name: `${band.name}\u0000`, data: band.high.map((h, i) => (h === null || band.low[i] == null ? null : h - band.low[i]!)), areaStyle: { color: p.band, opacity: 1 } })
  }
  spec.series.forEach((s, i) => {
    const colour = colourOf(spec, i, p)
    const last = lastOf(s.data)
    const hollow = new Set(s.hollow)
    const data = s.data.map((value, at) => {
      if (value === null) return { value: NaN }
      const item: { value: number; label?: object; symbol?: string; symbolSize?: number; itemStyle?: object } = { value }
      if (s.kind === 'line' && direct && at === last) item.label = { show: true, formatter: s.name, position: at > spec.x.length * 0.75 ? 'right' : 'top', color: colour, fontFamily, fontSize: 12, distance: 6 }
      if (hollow.has(at)) {
        item.symbol = 'circle'
        item.symbolSize = 8
        item.itemStyle = { color: p.sheet, borderColor: colour, borderWidth: 2 }
      } else if (s.kind === 'line') {
        const alone = s.data[at - 1] == null && s.data[at + 1] == null
        item.symbol = alone || (s.role !== 'compare' && (at === last || spec.x.length <= 20)) ? 'circle' : 'none'
        if (alone) item.symbolSize = 7
      }
      return item
    })
    if (s.kind === 'line') {
      list.push({
        type: 'line', name: s.name, data, symbolSize: 4, showAllSymbol: true, lineStyle: { width: s.role === 'compare' ? 1.5 : 2, color: colour, type: s.dashed ? [4, 4] : 'solid' }, itemStyle: { color: colour },
        labelLayout: { moveOverlap: 'shiftY' }, emphasis: { disabled: true }, z: s.role === 'compare' ? 2 : 3,
      })
    } else {
      list.push({ type: 'bar', name: s.name, data, itemStyle: { color: colour, opacity: s.role === 'compare' ? 0.55 : 1, borderRadius: [2, 2, 0, 0] }, barMaxWidth: 28, barGap: '10%', emphasis: { disabled: true } })
    }
  })
  const first = list.find((s) => s.type === (spec.series[0]?.kind ?? 'line') && !String(s.name).includes('\u0000'))
  if (spec.now && first) {
    Object.assign(first, {
      markLine: {
        symbol: 'none', silent: true, lineStyle: { color: p.lineStrong, type: 'solid', width: 1 },
        label: { ...label, formatter: spec.now.word, position: 'end' }, data: [{ xAxis: spec.now.index }],
      },
    })
  }
  const longest = direct ? Math.max(0, ...spec.series.filter((s) => s.kind === 'line' && lastOf(s.data) > spec.x.length * 0.75).map((s) => [...s.name].reduce((w, c) => w + (c.charCodeAt(0) > 255 ? 12 : 7), 0))) : 0
  return {
    animation: false,
    textStyle: { fontFamily },
    aria: { enabled: true },
    grid: { left: 4, right: Math.max(12, longest + 14), top: spec.now ? 24 : 12, bottom: 4, containLabel: true },
    xAxis: {
      type: 'category', data: [...spec.x], boundaryGap: spec.series.some((s) => s.kind === 'bar'),
      axisLine: { lineStyle: { color: p.lineStrong } }, axisTick: { show: false },
      axisLabel: { ...label, formatter: (x: string) => spec.xWord?.(x) ?? x, hideOverlap: true },
    },
    yAxis: { type: 'value', splitNumber: 4, axisLabel: { ...label, formatter: (v: number) => spec.format(v) }, splitLine: { lineStyle: { color: p.line } } },
    tooltip: {
      trigger: 'axis', confine: true, backgroundColor: p.float, borderColor: p.line, padding: [8, 12], textStyle: { color: p.ink, fontFamily, fontSize: 12 },
      axisPointer: { type: spec.series.some((s) => s.kind === 'bar') ? 'shadow' : 'line', lineStyle: { color: p.lineStrong }, shadowStyle: { color: p.band } },
      formatter: (raw: unknown) => {
        const at = (raw as { dataIndex: number }[])[0]?.dataIndex ?? 0
        const x = spec.x[at] ?? ''
        return tooltipOf(spec, at, spec.xTitle?.(x) ?? x, p)
      },
    },
    series: list,
  }
}

const escape = (s: string) => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c)

function tooltipOf(spec: ChartSpec, at: number, title: string, p: Palette): string {
  const rows: string[] = []
  const row = (colour: string, name: string, value: string) =>
    rows.push(`<tr><td><i style="display:inline-block;width:10px;height:10px;border-radius:2px;background:${colour};margin-right:6px"></i>${escape(name)}</td><td style="text-align:right;padding-left:16px;font-variant-numeric:tabular-nums">${escape(value)}</td></tr>`)
  spec.series.forEach((s, i) => {
    const v = s.data[at]
    if (v !== null && v !== undefined) row(colourOf(spec, i, p), s.name, spec.format(v))
  })
  for (const b of spec.bands ?? []) {
    const low = b.low[at]
    const high = b.high[at]
    if (low != null && high != null) row(p.band, b.name, `${spec.format(low)} – ${spec.format(high)}`)
  }
  return `<b>${escape(title)}</b><table>${rows.join('')}</table>`
}

/** A chart with direct labels, its comparison, and the same figures as a table. */
export function Chart(props: { spec: ChartSpec; label: string; height?: number; note?: ReactNode }) {
  const { spec } = props
  const t = useText(kitText)
  const { palette } = useTheme()
  const [asTable, setAsTable] = useState(false)
  const [width, setWidth] = useState(0)
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<EChartsType>(undefined)
  const latest = useRef(spec)
  latest.current = spec
  const option = useMemo(() => (width > 0 ? build(spec, palette, width) : undefined), [spec, palette, width])
  const drawn = useRef(option)
  drawn.current = option

  useEffect(() => {
    if (asTable || !box.current) return
    const element = box.current
    let gone = false
    const observer = new ResizeObserver(([entry]) => {
      setWidth(Math.round(entry?.contentRect.width ?? 0))
      chart.current?.resize()
    })
    observer.observe(element)
    void import('./echarts').then(({ init }) => {
      if (gone) return
      chart.current = init(element, undefined, { renderer: 'svg' })
      chart.current.getZr().on('click', (e) => {
        const at = chart.current?.convertFromPixel({ seriesIndex: 0 }, [e.offsetX, e.offsetY])
        const index = Array.isArray(at) ? Math.round(Number(at[0])) : NaN
        if (index >= 0 && index < latest.current.x.length) latest.current.onPick?.(index)
      })
      if (drawn.current) chart.current.setOption(drawn.current, { notMerge: true })
    }).catch(() => setAsTable(true)) // drawing could not be loaded: the figures can be read all the same
    return () => {
      gone = true
      observer.disconnect()
      chart.current?.dispose()
      chart.current = undefined
    }
  }, [asTable])
  useEffect(() => {
    if (option) chart.current?.setOption(option, { notMerge: true })
  }, [option])

  const withKey = keyed(spec, width)
  return (
    <figure className="zg-chart">
      <figcaption>
        <span className="zg-chart-key">
          <span className="zg-note">{spec.unit}</span>
          {withKey && spec.series.map((s, i) => <span key={s.name}><i className={s.kind === 'line' ? (s.dashed ? 'zg-key-dash' : 'zg-key-line') : ''} style={{ color: colourOf(spec, i, palette) }} />{s.name}</span>)}
          {withKey && spec.bands?.map((b) => <span key={b.name}><i style={{ color: palette.band }} />{b.name}</span>)}
        </span>
        <Button size="small" type="text" icon={asTable ? <BarChartOutlined /> : <TableOutlined />} aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>{asTable ? t('as_chart') : t('as_table')}</Button>
      </figcaption>
      {asTable ? <ChartTable spec={spec} label={props.label} /> : <div ref={box} className={spec.onPick ? 'zg-chart-box zg-chart-picks' : 'zg-chart-box'} style={{ height: props.height ?? 280 }} role="img" aria-label={props.label} />}
      {props.note && <div className="zg-note">{props.note}</div>}
    </figure>
  )
}

function ChartTable(props: { spec: ChartSpec; label: string }) {
  const { spec } = props
  return (
    <div className="zg-table-scroll zg-chart-table" tabIndex={0}>
      <table className="zg-table zg-table-plain" aria-label={props.label}>
        <thead>
          <tr>
            <th scope="col">{spec.xHead}</th>
            {spec.series.map((s) => <th key={s.name} scope="col" className="zg-num">{s.name} <span className="zg-unit">{spec.unit}</span></th>)}
            {spec.bands?.map((b) => <th key={b.name} scope="col" className="zg-num">{b.name} <span className="zg-unit">{spec.unit}</span></th>)}
          </tr>
        </thead>
        <tbody>
          {spec.x.map((x, i) => (
            <tr key={x}>
              <td>{spec.onPick ? <button type="button" className="zg-why-figure" onClick={() => spec.onPick?.(i)}>{spec.xTitle?.(x) ?? x}</button> : (spec.xTitle?.(x) ?? x)}</td>
              {spec.series.map((s) => <td key={s.name} className="zg-num">{s.data[i] == null ? '' : spec.format(s.data[i]!)}</td>)}
              {spec.bands?.map((b) => <td key={b.name} className="zg-num">{b.low[i] == null || b.high[i] == null ? '' : `${spec.format(b.low[i]!)} – ${spec.format(b.high[i]!)}`}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** A line as tall as a row of text; `compare` behind it in grey. */
export function Spark(props: { values: readonly (number | null)[]; compare?: readonly (number | null)[]; label: string; width?: number; height?: number }) {
  const w = props.width ?? 120
  const h = props.height ?? 24
  const top = Math.max(1e-9, ...props.values.map((v) => v ?? 0), ...(props.compare ?? []).map((v) => v ?? 0))
  const path = (values: readonly (number | null)[]) => {
    let d = ''
    let pen = false
    values.forEach((v, i) => {
      if (v === null) {
        pen = false
        return
      }
      const x = values.length > 1 ? (i / (values.length - 1)) * (w - 4) + 2 : w / 2
      d += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${(h - 2 - (v / top) * (h - 4)).toFixed(1)}`
      pen = true
    })
    return d
  }
  return (
    <svg className="zg-spark" width={w} height={h} viewBox={`0 0 ${w} ${h}`} role="img" aria-label={props.label}>
      <path d={`M2 ${h - 1.5}H${w - 2}`} stroke="var(--zg-line)" />
      {props.compare && <path d={path(props.compare)} fill="none" stroke="var(--zg-compare)" strokeWidth="1" strokeDasharray="2 2" />}
      <path d={path(props.values)} fill="none" stroke="var(--zg-series-1)" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  )
}
