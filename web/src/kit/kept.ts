// What must outlive a reload or a power cut of this screen. Storage may be refused; then it lasts as long as the page.

const memory = new Map<string, string>()

export const kept = {
  read(name: string): string | null {
    try {
      return localStorage.getItem(name)
    } catch {
      return memory.get(name) ?? null
    }
  },
  write(name: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(name)
      else localStorage.setItem(name, value)
    } catch {
      if (value === null) memory.delete(name)
      else memory.set(name, value)
    }
  },
}
