-- The demo's second server: the order desk of twenty years ago on MariaDB, with the names of its time.
-- Made up from a fixed seed, the same at every start.
set names utf8mb4;
drop database if exists legacy;
create database legacy character set utf8mb4;
use legacy;

create function pick(seed varchar(40), n int) returns int deterministic
  return conv(substr(md5(seed), 1, 7), 16, 10) % n;

create table KOKYAKU (
  KOKYAKU_NO  int primary key,
  KOKYAKU_MEI varchar(60) not null comment '顧客名',
  TEL_NO      varchar(20) not null comment '電話番号',
  MAIL_ADDR   varchar(120) not null comment 'メールアドレス',
  JUSHO       varchar(200) not null comment '住所',
  TOROKU_BI   date not null comment '登録日'
) comment '顧客マスタ';
insert into KOKYAKU
select seq,
       concat(elt(1 + pick(concat('f', seq), 12), '佐藤', '鈴木', '高橋', '田中', '伊藤', '渡辺', '山本', '中村', '小林', '加藤', '吉田', '山田'), ' ',
              elt(1 + pick(concat('g', seq), 8), '一郎', '花子', '健二', '美咲', '大輔', '愛子', '直樹', '由美')),
       concat('03-', lpad(pick(concat('t', seq), 10000), 4, '0'), '-', lpad(pick(concat('u', seq), 10000), 4, '0')),
       concat(elt(1 + pick(concat('g', seq), 8), 'ichiro', 'hanako', 'kenji', 'misaki', 'daisuke', 'aiko', 'naoki', 'yumi'), seq, '@',
              elt(1 + pick(concat('d', seq), 3), 'example.ne.jp', 'example.or.jp', 'mail.example.com')),
       concat(elt(1 + pick(concat('p', seq), 4), '東京都港区芝公園', '大阪府大阪市中央区本町', '愛知県名古屋市中区栄', '福岡県福岡市中央区天神'),
              1 + pick(concat('a', seq), 5), '-', 1 + pick(concat('b', seq), 20)),
       date '2003-04-01' + interval pick(concat('r', seq), 5000) day
  from seq_1_to_5000;

create table JUCHU (
  JUCHU_NO   int primary key,
  KOKYAKU_NO int not null,
  HINMEI     varchar(40) not null comment '品名',
  SURYO      int not null comment '数量',
  KINGAKU    int not null comment '金額',
  CARD_NO    char(16) comment 'カード番号',
  JUCHU_BI   date not null comment '受注日',
  foreign key (KOKYAKU_NO) references KOKYAKU (KOKYAKU_NO)
) comment '受注';
insert into JUCHU
select seq, 1 + pick(concat('k', seq), 5000),
       elt(1 + pick(concat('h', seq), 5), '事務用椅子', '会議机', '書類棚', '複合機', 'ホワイトボード'),
       1 + pick(concat('s', seq), 20), 1000 * (1 + pick(concat('y', seq), 300)),
       if(pick(concat('c', seq), 2) = 0, null,
          concat('4539', lpad(pick(concat('m', seq), 1000000), 6, '0'), lpad(pick(concat('n', seq), 1000000), 6, '0'))),
       date '2004-01-05' + interval pick(concat('j', seq), 5000) day
  from seq_1_to_15000;

drop function pick;
analyze table KOKYAKU, JUCHU;
