import { useCan } from '@kit'
import { Navigate } from 'react-router-dom'

export default function First() {
  const can = useCan()
  return <Navigate to={can('org.read') ? '/settings/sites' : '/settings/account'} replace />
}
