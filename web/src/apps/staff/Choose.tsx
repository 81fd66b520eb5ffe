/** One of a few, as buttons a thumb can hit. */
export function Choose<V extends string>(props: { label: string; value: V; choices: readonly { value: V; label: string }[]; choose: (value: V) => void }) {
  return (
    <fieldset className="st-choose">
      <legend>{props.label}</legend>
      {props.choices.map((c) => <button key={c.value} type="button" aria-pressed={c.value === props.value} onClick={() => props.choose(c.value)}>{c.label}</button>)}
    </fieldset>
  )
}
