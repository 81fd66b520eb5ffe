import { HomeOutlined } from '@ant-design/icons'
import { AppShell, defineText, mountApp, type PageDef } from '@kit'
import en from './en'
import zh from './zh'

const text = defineText(zh, en)

const pages: PageDef<keyof typeof zh>[] = [
  { path: '/today', title: 'today', perm: '', icon: HomeOutlined, load: () => import('./today/Today') },
]

mountApp(<AppShell basename="/admin" text={text} pages={pages} />)
