// Papers as data: what a label measures, and how labels lie on a sheet. A roll is a sheet of one label.

export interface Paper {
  key: 'roll_40x30' | 'roll_60x40' | 'roll_70x38' | 'a4_24' | 'a4_65'
  /** of a label, in millimetres */
  width: number
  height: number
  /** of a page; a roll's page is its label */
  page: { width: number; height: number; columns: number; rows: number; left: number; top: number; gapX: number; gapY: number } | undefined
}

const a4 = { width: 210, height: 297 }

export const papers: readonly Paper[] = [
  { key: 'roll_40x30', width: 40, height: 30, page: undefined },
  { key: 'roll_60x40', width: 60, height: 40, page: undefined },
  { key: 'roll_70x38', width: 70, height: 38, page: undefined },
  { key: 'a4_24', width: 70, height: 37, page: { ...a4, columns: 3, rows: 8, left: 0, top: 0.5, gapX: 0, gapY: 0 } },
  { key: 'a4_65', width: 38.1, height: 21.2, page: { ...a4, columns: 5, rows: 13, left: 4.75, top: 10.7, gapX: 2.5, gapY: 0 } },
]

/** Labels in the order of pages; what is skipped is an empty place. */
export function pagesOf<T>(paper: Paper, labels: readonly T[], skip: number): (T | undefined)[][] {
  const each = paper.page ? paper.page.columns * paper.page.rows : 1
  const places: (T | undefined)[] = [...Array.from<undefined>({ length: paper.page ? Math.max(0, Math.min(skip, each - 1)) : 0 }), ...labels]
  const pages: (T | undefined)[][] = []
  for (let at = 0; at < places.length; at += each) pages.push(places.slice(at, at + each))
  return pages
}

/** Scanners need bars of at least 0.19 mm, 75 % of the size that GS1 gives EAN-13; modules are counted with their quiet zones. */
export const readable = (paper: Paper, modules: number): boolean => (paper.width - 4) / modules >= 0.19
