import { keepPreviousData, QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { asProblem, Problem } from './problem'

// Reads go through TanStack Query under a key whose first part names what is read ("stock", "till"),
// so that a live event can make it stale by that name.

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // the client itself retries network failures; a refusal is not asked again
      queries: { staleTime: 5_000, retry: false, refetchOnWindowFocus: true, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}

export interface Reading<D> {
  data: D | undefined
  problem: Problem | undefined
  loading: boolean // nothing to show yet
  fetching: boolean
  again: () => void
}

/** One figure or document. `key[0]` is the subject; `skip` waits for what is not chosen yet. */
export function useRead<D>(key: readonly unknown[], read: (signal: AbortSignal) => Promise<D>, options: { skip?: boolean; every?: number | false } = {}): Reading<D> {
  const q = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => read(signal),
    enabled: !options.skip,
    refetchInterval: options.every ?? false,
    placeholderData: keepPreviousData,
  })
  return {
    data: q.data,
    problem: q.error ? asProblem(q.error) : undefined,
    loading: q.isPending && !options.skip,
    fetching: q.isFetching,
    again: () => void q.refetch(),
  }
}

export interface Listing<R> {
  rows: R[]
  problem: Problem | undefined
  loading: boolean
  fetching: boolean
  stale: boolean // rows of the filters before, while the new ones load
  more: (() => void) | undefined
  again: () => void
}

/** All rows of a list that ends within a few pages, such as what one kitchen has to make in a day. */
export async function everyPage<R>(read: (after: string | undefined) => Promise<{ items: R[] | null; next?: string }>): Promise<R[]> {
  const rows: R[] = []
  for (let after: string | undefined, page = 0; page < 50; page++) {
    const got = await read(after)
    rows.push(...(got.items ?? []))
    after = got.next || undefined
    if (!after) break
  }
  return rows
}

/** A list with keyset paging: `read` gets the cursor of the page before. */
export function useListing<R>(
  key: readonly unknown[],
  read: (after: string | undefined, signal: AbortSignal) => Promise<{ items: R[] | null; next?: string }>,
  options: { skip?: boolean; every?: number | false } = {},
): Listing<R> {
  const q = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next || undefined,
    enabled: !options.skip,
    refetchInterval: options.every ?? false,
    placeholderData: keepPreviousData,
  })
  return {
    rows: q.data?.pages.flatMap((page) => page.items ?? []) ?? [],
    problem: q.error ? asProblem(q.error) : undefined,
    loading: q.isPending && !options.skip,
    fetching: q.isFetching,
    stale: q.isPlaceholderData,
    more: q.hasNextPage ? () => { if (!q.isFetchingNextPage) void q.fetchNextPage() } : undefined,
    again: () => void q.refetch(),
  }
}

export interface Doing<I, D> {
  run: (input: I) => Promise<D | undefined>
  busy: boolean
  /** of the last run that was done */
  data: D | undefined
  problem: Problem | undefined
  clear: () => void
}

/** An act; `stale` names the subjects whose reads it makes old. run gives undefined when refused (see problem). */
export function useAct<I, D>(doIt: (input: I) => Promise<D>, stale: readonly string[] = []): Doing<I, D> {
  const queries = useQueryClient()
  const m = useMutation({
    mutationFn: doIt,
    onSuccess: () => Promise.all(stale.map((subject) => queries.invalidateQueries({ queryKey: [subject] }))),
  })
  return {
    run: (input) => m.mutateAsync(input).catch(() => undefined),
    busy: m.isPending,
    data: m.data,
    problem: m.error ? asProblem(m.error) : undefined,
    clear: m.reset,
  }
}
