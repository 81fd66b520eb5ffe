import { LiveUpdates } from '@kit/live'
import { mountApp } from '@kit/mount'
import { SignedIn } from '@kit/session'
import { Door } from './Door'
import './till.css'

mountApp(
  <SignedIn>
    <LiveUpdates>
      <Door />
    </LiveUpdates>
  </SignedIn>,
  { density: 'touch' },
)
