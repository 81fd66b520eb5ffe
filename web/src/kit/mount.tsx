import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { newQueryClient } from './api'
import { DemoBand } from './DemoBand'
import { ErrorBoundary, OfflineBanner } from './states'
import { ThemeProvider, type Density } from './theme'
import { installTokens, type ThemeName } from './tokens'
import './kit.css'

/** Starts an app: tokens, language, theme, server reads, the last net for errors. An app with a theme of its own ignores the reader's. */
export function mountApp(app: ReactNode, options: { density?: Density; theme?: ThemeName } = {}): void {
  installTokens()
  const root = document.getElementById('root')
  if (!root) throw new Error('no #root in the page')
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={newQueryClient()}>
        <ThemeProvider {...(options.density ? { density: options.density } : {})} {...(options.theme ? { fixed: options.theme } : {})}>
          <DemoBand />
          <OfflineBanner />
          <ErrorBoundary>{app}</ErrorBoundary>
        </ThemeProvider>
      </QueryClientProvider>
    </StrictMode>,
  )
}
