import { PageHead, useSession } from '@kit'

export default function Today() {
  const { me } = useSession()
  return <PageHead title={me.display_name} />
}
