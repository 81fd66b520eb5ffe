import { mountApp } from '@kit/mount'
import { AppShell } from '@kit/Shell'
import { PhoneFrame } from './PhoneFrame'
import { pages } from './pages'
import { staffText } from './text'
import './staff.css'

mountApp(<AppShell basename="/staff" text={staffText} pages={pages} frame={PhoneFrame} />, { density: 'touch' })
