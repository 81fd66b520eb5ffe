import { act, all, client, DataTable, Empty, Form, FormActs, PageHead, SelectField, Sheet, TextField, useAct, useCan, useForm, useText, type Category } from '@kit'
import { App, Button } from 'antd'
import { useState } from 'react'
import { Link } from 'react-router-dom'
import { categoryPaths, goodsText, GoodsTabs, useCategories } from './shared'

export default function Categories() {
  const t = useText(goodsText)
  const can = useCan()
  const categories = useCategories()
  const [editing, setEditing] = useState<Category | 'new'>()
  const paths = categoryPaths(categories.data ?? [])
  const one = (id: string) => categories.data?.find((c) => c.id === id)
  return (
    <>
      <PageHead title={t('categories')}>{can('goods.manage') && <Button type="primary" onClick={() => setEditing('new')}>{t('new_category')}</Button>}</PageHead>
      <GoodsTabs />
      <div className="zg-stack">
        {editing && <CategoryForm key={editing === 'new' ? 'new' : editing.id} category={editing === 'new' ? undefined : editing} all={categories.data ?? []} close={() => setEditing(undefined)} />}
        <DataTable label={t('categories')} rows={all(paths, categories)} rowKey={(p) => p.value} {...(can('goods.manage') ? { onOpen: (p: { value: string }) => setEditing(one(p.value)) } : {})}
          columns={[
            { key: 'name', head: t('category_name'), cell: (p) => <span style={{ paddingLeft: p.depth * 20 }}>{one(p.value)?.name}</span> },
            { key: 'goods', head: t('title'), cell: (p) => <Link to={`/goods?category=${p.value}`}>{t('products_in')}</Link> },
          ]}
          empty={<Empty title={t('categories')}>{t('categories_empty')}</Empty>} />
      </div>
    </>
  )
}

function CategoryForm(props: { category: Category | undefined; all: readonly Category[]; close: () => void }) {
  const { category } = props
  const t = useText(goodsText)
  const { message } = App.useApp()
  const save = useAct(
    (body: { name: string; parent_id?: string; sort: number }) => category
      ? act(['PUT category', category.id, body], (header) => client.PUT('/api/goods/categories/{id}', { params: { header, path: { id: category.id } }, body }))
      : act(['POST category', body], (header) => client.POST('/api/goods/categories', { params: { header }, body })),
    ['goods'],
  )
  const form = useForm({
    initial: { name: category?.name ?? '', parent_id: category?.parent_id ?? '' }, doing: save,
    required: ['name'],
    body: (v) => ({ name: v.name.trim(), sort: category?.sort ?? 0, ...(v.parent_id ? { parent_id: v.parent_id } : {}) }),
    done: () => {
      void message.success(t('saved'))
      props.close()
    },
  })
  return (
    <Sheet title={category ? t('edit_category') : t('new_category')}>
      <Form form={form} label={category ? t('edit_category') : t('new_category')}>
        <div className="zg-form-grid">
          <TextField form={form} name="name" label={t('category_name')} maxLength={40} autoFocus />
          <SelectField form={form} name="parent_id" label={t('category_parent')} options={[{ value: '', label: t('category_top') }, ...categoryPaths(props.all).filter((p) => p.value !== category?.id)]} />
        </div>
        <FormActs form={form} onCancel={props.close} />
      </Form>
    </Sheet>
  )
}
