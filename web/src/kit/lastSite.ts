const remembered = 'zg.site'

/** The site that was looked at last in this browser. */
export function lastSite(): string | null {
  try {
    return localStorage.getItem(remembered)
  } catch {
    return null
  }
}

export function rememberSite(id: string): void {
  try {
    localStorage.setItem(remembered, id)
  } catch {
    // not remembered then
  }
}
