/** The bead of an abacus on its rod. */
export function Mark(props: { size?: number; title?: string }) {
  const size = props.size ?? 24
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role={props.title ? 'img' : undefined} aria-label={props.title} aria-hidden={props.title ? undefined : true}>
      <rect x="14.75" width="2.5" height="32" rx="1.25" fill="var(--zg-compare)" />
      <path d="M9.2 8h13.6a2 2 0 0 1 1.6.8l4.7 6.3a1.5 1.5 0 0 1 0 1.8l-4.7 6.3a2 2 0 0 1-1.6.8H9.2a2 2 0 0 1-1.6-.8l-4.7-6.3a1.5 1.5 0 0 1 0-1.8l4.7-6.3A2 2 0 0 1 9.2 8Z" fill="var(--zg-accent)" />
      <path d="M2.9 15.1h26.2a1.5 1.5 0 0 1 0 1.8H2.9a1.5 1.5 0 0 1 0-1.8Z" fill="#000" fillOpacity=".16" />
    </svg>
  )
}
