/**
 * `t('section.key', { parameters })`. `en` is the type of all keys; another language is a file of the same shape.
 *
 * A message is text with `{name}` or `{name:format}` places, or plural forms chosen by the parameter `count`.
 */
import { en } from './en';
import { format, setNumberLocale, type FormatName } from './format';

/** Plural forms by CLDR category; `other` is always there. */
export type Plural = { readonly other: string } & Readonly<
  Partial<Record<Exclude<Intl.LDMLPluralRule, 'other'>, string>>
>;

type En = typeof en;
type Texts = string | Plural;

/** What a language file must provide. */
export type Messages = { readonly [S in keyof En]: { readonly [K in keyof En[S]]: Texts } };

type Section = keyof En;
export type MessageKey = { [S in Section]: `${S}.${keyof En[S] & string}` }[Section];

type TextOf<K extends MessageKey> = K extends `${infer S}.${infer N}`
  ? S extends keyof En
    ? N extends keyof En[S]
      ? En[S][N]
      : never
    : never
  : never;

type PlaceName<P extends string> = P extends `${infer N}:${string}` ? N : P;
type PlacesIn<T> = T extends `${string}{${infer P}}${infer Rest}` ? PlaceName<P> | PlacesIn<Rest> : never;
type ParamsIn<T> = T extends string ? PlacesIn<T> : 'count' | PlacesIn<T[keyof T]>;
type Values<P extends string> = { readonly [K in P]: K extends 'count' ? number : string | number };

/** No second argument for a message without places; all of them otherwise. */
export type Args<K extends MessageKey> = [ParamsIn<TextOf<K>>] extends [never] ? [] : [Values<ParamsIn<TextOf<K>>>];

class Language {
  tag = $state('en');
  messages = $state.raw<Messages>(en);
}
const language = new Language();
let plurals = new Intl.PluralRules('en');

/** Switches the language; every text on the screen follows. */
export function setLanguage(tag: string, messages: Messages): void {
  language.tag = tag;
  language.messages = messages;
  plurals = new Intl.PluralRules(tag);
  setNumberLocale(tag);
  document.documentElement.lang = tag;
}

const PLACE = /\{(\w+)(?::(\w+))?\}/g;

function fill(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replace(PLACE, (whole, name: string, how?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    if (typeof value === 'string' || how === undefined) return String(value);
    return how in format ? format[how as FormatName](value) : String(value);
  });
}

export function t<K extends MessageKey>(key: K, ...args: Args<K>): string {
  const dot = key.indexOf('.');
  const section = language.messages[key.slice(0, dot) as Section] as Readonly<Record<string, Texts>>;
  const message = section[key.slice(dot + 1)];
  const values: Readonly<Record<string, string | number>> = args[0] ?? {};
  if (message === undefined) return key;
  if (typeof message === 'string') return fill(message, values);
  const count = Number(values['count'] ?? 0);
  return fill(message[plurals.select(count)] ?? message.other, values);
}
