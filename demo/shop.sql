-- The demo's company: an insurance broker. Made up from a fixed seed, the same at every start.
--   lake: raw data as applications deliver it   dwh: the warehouse built from it   mart: what people read
\set ON_ERROR_STOP on
set client_min_messages = warning;
begin;

create schema lake;
create schema dwh;
create schema mart;

-- A number from 0 to below `n` that follows from `seed` alone.
create function pg_temp.pick(seed text, n int) returns int language sql immutable
  return (hashtext(seed)::bigint & 2147483647) % n;

-- Digits with the check digit that cards have.
create function pg_temp.card(prefix text) returns text language sql immutable
begin atomic
  select prefix || (10 - sum(case when i % 2 = 1 then (d * 2) / 10 + (d * 2) % 10 else d end) % 10) % 10
    from (select i, substr(prefix, i, 1)::int as d from generate_series(1, 15) as i) as digits;
end;

create temp table family (n int, kanji text, kana text, roman text);
insert into family values
  (0, '佐藤', 'サトウ', 'sato'), (1, '鈴木', 'スズキ', 'suzuki'), (2, '高橋', 'タカハシ', 'takahashi'), (3, '田中', 'タナカ', 'tanaka'),
  (4, '伊藤', 'イトウ', 'ito'), (5, '渡辺', 'ワタナベ', 'watanabe'), (6, '山本', 'ヤマモト', 'yamamoto'), (7, '中村', 'ナカムラ', 'nakamura'),
  (8, '小林', 'コバヤシ', 'kobayashi'), (9, '加藤', 'カトウ', 'kato'), (10, '吉田', 'ヨシダ', 'yoshida'), (11, '山田', 'ヤマダ', 'yamada'),
  (12, '斎藤', 'サイトウ', 'saito'), (13, '松本', 'マツモト', 'matsumoto'), (14, '井上', 'イノウエ', 'inoue'), (15, '木村', 'キムラ', 'kimura'),
  (16, '清水', 'シミズ', 'shimizu'), (17, '橋本', 'ハシモト', 'hashimoto'), (18, '森', 'モリ', 'mori'), (19, '長谷川', 'ハセガワ', 'hasegawa'),
  (20, 'Müller', 'ミュラー', 'mueller'), (21, 'O''Brien', 'オブライエン', 'obrien'), (22, 'García', 'ガルシア', 'garcia'), (23, 'Nguyễn', 'グエン', 'nguyen');
create temp table given (n int, kanji text, kana text, roman text);
insert into given values
  (0, '翔太', 'ショウタ', 'shota'), (1, '花子', 'ハナコ', 'hanako'), (2, '健二', 'ケンジ', 'kenji'), (3, '美咲', 'ミサキ', 'misaki'),
  (4, '大輔', 'ダイスケ', 'daisuke'), (5, '愛子', 'アイコ', 'aiko'), (6, '直樹', 'ナオキ', 'naoki'), (7, '由美', 'ユミ', 'yumi'),
  (8, '拓也', 'タクヤ', 'takuya'), (9, '恵', 'メグミ', 'megumi'), (10, '誠', 'マコト', 'makoto'), (11, 'さくら', 'サクラ', 'sakura'),
  (12, '陽菜', 'ヒナ', 'hina'), (13, '蓮', 'レン', 'ren'), (14, '葵', 'アオイ', 'aoi'), (15, '真由美', 'マユミ', 'mayumi'),
  -- For the families that are not Japanese.
  (16, 'Anna', 'アナ', 'anna'), (17, 'Liam', 'リアム', 'liam'), (18, 'Sofía', 'ソフィア', 'sofia'), (19, 'Minh', 'ミン', 'minh');
create temp table place (n int, region text, postal text, address text, area text);
insert into place values
  (0, 'kanto', '100', '東京都千代田区丸の内', '03'), (1, 'kanto', '220', '神奈川県横浜市西区みなとみらい', '045'), (2, 'kanto', '330', '埼玉県さいたま市大宮区桜木町', '048'),
  (3, 'kansai', '530', '大阪府大阪市北区梅田', '06'), (4, 'kansai', '600', '京都府京都市下京区四条通', '075'), (5, 'kansai', '650', '兵庫県神戸市中央区三宮町', '078'),
  (6, 'chubu', '450', '愛知県名古屋市中村区名駅', '052'), (7, 'kyushu', '812', '福岡県福岡市博多区博多駅前', '092'), (8, 'hokkaido', '060', '北海道札幌市中央区北一条西', '011'),
  (9, 'tohoku', '980', '宮城県仙台市青葉区中央', '022');

-- The lake.

create table lake.customers (
  id          integer primary key,
  name        text not null,
  name_kana   text not null,
  email       text not null,
  phone       text not null,
  birth_date  date not null,
  postal_code text not null,
  address     text not null,
  region      text not null,
  created_at  timestamptz not null,
  profile     jsonb not null
);
insert into lake.customers
select i, f.kanji || ' ' || g.kanji, f.kana || ' ' || g.kana,
       g.roman || '.' || f.roman || pg_temp.pick('mail' || i, 100) || '@'
         || (array['example.jp', 'mail.example.com', 'corp.example.co.jp', 'example.org'])[1 + pg_temp.pick('domain' || i, 4)],
       case pg_temp.pick('mobile' || i, 3)
         when 0 then p.area || '-' || lpad(pg_temp.pick('p1' || i, 10000)::text, 4, '0') || '-' || lpad(pg_temp.pick('p2' || i, 10000)::text, 4, '0')
         else '0' || (array[7, 8, 9])[1 + pg_temp.pick('carrier' || i, 3)] || '0-' || lpad(pg_temp.pick('p1' || i, 10000)::text, 4, '0') || '-'
           || lpad(pg_temp.pick('p2' || i, 10000)::text, 4, '0') end,
       date '1945-01-01' + pg_temp.pick('birth' || i, 22000),
       p.postal || '-' || lpad(pg_temp.pick('post' || i, 10000)::text, 4, '0'),
       p.address || (1 + pg_temp.pick('a1' || i, 9)) || '-' || (1 + pg_temp.pick('a2' || i, 30)) || '-' || (1 + pg_temp.pick('a3' || i, 20)),
       p.region,
       timestamptz '2019-04-01 09:00+09' + make_interval(hours => pg_temp.pick('created' || i, 60000)),
       jsonb_build_object('language', (array['ja', 'ja', 'ja', 'en'])[1 + pg_temp.pick('lang' || i, 4)],
                          'newsletter', pg_temp.pick('news' || i, 2) = 1,
                          'household', 1 + pg_temp.pick('house' || i, 5),
                          'line_id', 'line-' || substr(md5('line' || i), 1, 10))
  from generate_series(1, 12000) as i
  join family as f on f.n = pg_temp.pick('family' || i, 24)
  join given as g on g.n = case when f.n < 20 then pg_temp.pick('given' || i, 16) else 16 + pg_temp.pick('given' || i, 4) end
  join place as p on p.n = pg_temp.pick('place' || i, 10);

create table lake.contracts (
  id          integer primary key,
  customer_id integer not null references lake.customers,
  product     text not null,
  status      text not null,
  monthly_fee numeric(10, 0) not null,
  started_on  date not null,
  ended_on    date,
  agent       text not null
);
insert into lake.contracts
select i, 1 + pg_temp.pick('cc' || i, 12000),
       (array['医療保険', '生命保険', '自動車保険', '火災保険', '学資保険'])[1 + pg_temp.pick('product' || i, 5)],
       s.status, 1000 + 100 * pg_temp.pick('fee' || i, 240), s.started_on,
       case s.status when 'ended' then s.started_on + 90 + pg_temp.pick('end' || i, 900) end,
       (array['kenji', 'aiko', 'naoki', 'emma', 'yumi'])[1 + pg_temp.pick('agent' || i, 5)]
  from generate_series(1, 18000) as i,
       lateral (select (array['active', 'active', 'active', 'ended', 'pending'])[1 + pg_temp.pick('status' || i, 5)] as status,
                       date '2019-04-01' + pg_temp.pick('start' || i, 2300) as started_on) as s;

create table lake.consultations (
  id          integer primary key,
  customer_id integer not null references lake.customers,
  staff       text not null,
  channel     text not null,
  subject     text not null,
  note        text not null,
  rating      integer,
  held_at     timestamptz not null
);
insert into lake.consultations
select i, c.id, (array['kenji', 'aiko', 'naoki', 'emma', 'yumi'])[1 + pg_temp.pick('staff' || i, 5)],
       (array['電話', '店舗', 'オンライン', 'メール'])[1 + pg_temp.pick('channel' || i, 4)],
       (array['契約内容の確認', '保険金の請求', '住所変更', '解約の相談', '新規のご相談'])[1 + pg_temp.pick('subject' || i, 5)],
       c.name || '様より' || (array['入院給付金についてお問い合わせ。', '引っ越しのご連絡。新住所は' || c.address || '。', '来月で解約したいとのこと。',
         '折り返しは' || c.phone || 'まで。', '告知事項に糖尿病の治療歴あり。', 'お子様の進学に合わせた見直しを希望。'])[1 + pg_temp.pick('note' || i, 6)],
       nullif(pg_temp.pick('rating' || i, 6), 0),
       timestamptz '2022-01-04 09:00+09' + make_interval(mins => pg_temp.pick('held' || i, 1800000))
  from generate_series(1, 20000) as i join lake.customers as c on c.id = 1 + pg_temp.pick('consulted' || i, 12000);

create table lake.payments (
  id          integer primary key,
  contract_id integer not null references lake.contracts,
  customer_id integer not null references lake.customers,
  amount      numeric(10, 0) not null,
  method      text not null,
  card_number text,
  client_ip   inet not null,
  paid_at     timestamptz not null,
  status      text not null
);
insert into lake.payments
select i, c.id, c.customer_id, c.monthly_fee, m.method,
       case m.method when 'card' then pg_temp.card((array['4539', '5425', '3566'])[1 + pg_temp.pick('brand' || c.id, 3)]
         || lpad(pg_temp.pick('n1' || c.id, 1000000)::text, 6, '0') || lpad(pg_temp.pick('n2' || c.id, 100000)::text, 5, '0')) end,
       ('203.0.113.' || pg_temp.pick('ip' || i, 256))::inet,
       timestamptz '2024-01-01 00:00+09' + make_interval(mins => pg_temp.pick('paid' || i, 1000000)),
       (array['settled', 'settled', 'settled', 'settled', 'failed'])[1 + pg_temp.pick('paystatus' || i, 5)]
  from generate_series(1, 40000) as i join lake.contracts as c on c.id = 1 + pg_temp.pick('pc' || i, 18000),
       lateral (select (array['card', 'card', 'bank'])[1 + pg_temp.pick('method' || c.id, 3)] as method) as m;

-- The warehouse.

create table dwh.dim_customer as
select id as customer_key, name, email, phone, birth_date, region, created_at::date as customer_since,
       case when birth_date > date '1995-01-01' then 'young' when birth_date > date '1965-01-01' then 'middle' else 'senior' end as segment
  from lake.customers;
alter table dwh.dim_customer add primary key (customer_key);

create table dwh.fact_payment as
select p.id as payment_key, p.customer_id as customer_key, c.product, p.paid_at::date as paid_on, p.amount, p.method, p.status
  from lake.payments as p join lake.contracts as c on c.id = p.contract_id;
alter table dwh.fact_payment add primary key (payment_key);

-- The marts.

create table mart.customers as
select c.id, c.name, c.email, c.phone, c.birth_date, c.region,
       max(p.card_number) as card_number,
       count(distinct k.id)::int as contracts,
       coalesce(sum(p.amount) filter (where p.status = 'settled'), 0) as paid_total
  from lake.customers as c
  left join lake.contracts as k on k.customer_id = c.id
  left join lake.payments as p on p.contract_id = k.id
 group by c.id;
alter table mart.customers add primary key (id);

create table mart.monthly_revenue as
select date_trunc('month', f.paid_on)::date as month, d.region, f.product, count(*)::int as payments, sum(f.amount) as revenue
  from dwh.fact_payment as f join dwh.dim_customer as d using (customer_key)
 where f.status = 'settled'
 group by 1, 2, 3;

create view mart.revenue_by_region as
select region, sum(revenue) as revenue, sum(payments)::int as payments from mart.monthly_revenue group by region;

create index on lake.contracts (customer_id);
create index on lake.consultations (customer_id);
create index on lake.payments (customer_id);
commit;
set client_min_messages = error;
analyze;
