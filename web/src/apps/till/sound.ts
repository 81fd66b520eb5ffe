// A short tone says what the eyes miss: rising = taken, low twice = refused.

let context: AudioContext | undefined

function tone(frequency: number, from: number, length: number): void {
  if (!context) return
  const oscillator = context.createOscillator()
  const gain = context.createGain()
  oscillator.frequency.value = frequency
  oscillator.type = 'sine'
  const start = context.currentTime + from
  gain.gain.setValueAtTime(0.0001, start)
  gain.gain.exponentialRampToValueAtTime(0.2, start + 0.01)
  gain.gain.exponentialRampToValueAtTime(0.0001, start + length)
  oscillator.connect(gain).connect(context.destination)
  oscillator.start(start)
  oscillator.stop(start + length)
}

function awake(): boolean {
  if (typeof AudioContext === 'undefined') return false
  context ??= new AudioContext()
  if (context.state === 'suspended') void context.resume().catch(() => undefined)
  return true
}

export const sound = {
  taken: () => awake() && tone(1320, 0, 0.07),
  paid: () => {
    if (!awake()) return
    tone(880, 0, 0.1)
    tone(1320, 0.1, 0.16)
  },
  refused: () => {
    if (!awake()) return
    tone(220, 0, 0.16)
    tone(196, 0.2, 0.22)
  },
}
