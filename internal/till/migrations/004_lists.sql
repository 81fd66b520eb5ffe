-- Sales that did not end as they should are few among millions: whoever looks for them need not go through the others.
CREATE INDEX till_sale_odd ON till_sale (state, id) WHERE state <> 'paid';
