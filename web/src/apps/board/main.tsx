import { LiveUpdates } from '@kit/live'
import { mountApp } from '@kit/mount'
import { SignedIn } from '@kit/session'
import { BrowserRouter, Route, Routes } from 'react-router-dom'
import { Board } from './Board'
import { ChainGoods, Product, Store, Clearance } from './Drill'
import './board.css'

mountApp(
  <SignedIn>
    <LiveUpdates>
      <BrowserRouter basename="/board">
        <Routes>
          <Route path="/goods/:by" element={<ChainGoods />} />
          <Route path="/stores/:site" element={<Store />} />
          <Route path="/stores/:site/:product" element={<Product />} />
          <Route path="/clearance" element={<Clearance />} />
          <Route path="/clearance/:site" element={<Clearance />} />
          <Route path="*" element={<Board />} />
        </Routes>
      </BrowserRouter>
    </LiveUpdates>
  </SignedIn>,
  { theme: 'dark' },
)
