/** As the ref of a row of tabs: where the row is wider than the screen, the page one is on is in sight. */
export function tabInSight(row: HTMLElement | null) {
  const here = row?.querySelector('.zg-tab-here')?.getBoundingClientRect()
  if (row && here) row.scrollLeft += Math.max(0, here.right - row.getBoundingClientRect().right)
}
