import { SignedIn, useSession } from '@kit/session'
import { mountApp } from '@kit/mount'
import { useEffect } from 'react'

// The address without an app: whoever signs in here goes to where the work is.
function Onward() {
  const { can } = useSession()
  useEffect(() => {
    const office = ['sales.read', 'goods.read', 'stock.read', 'org.read', 'import.run', 'forecast.read', 'check.read', 'jobs.read'].some(can)
    const counterOnly = can('till.sell') && !can('goods.manage') && !can('org.manage') && !can('import.run')
    // Who works with the hands, and whoever comes with a phone, begins at what there is to do.
    const kitchenOnly = can('make.work') && !can('till.sell') && !can('org.read')
    location.replace(kitchenOnly || matchMedia('(max-width: 600px)').matches ? '/staff/' : counterOnly || !office ? '/till/' : '/admin/')
  }, [can])
  return null
}

mountApp(<SignedIn><Onward /></SignedIn>)
