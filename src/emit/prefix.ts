/** The C identifier prefix of a model: `gesture` gives `gesture_push` and `GESTURE_CHANNELS`. */
import { EmitError } from './model';

const LONGEST = 31;

/** Keywords of C and C++ and names that C reserves; none may be a prefix, so that the prefix alone is usable as a name. */
const TAKEN = new Set(
  (
    'alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl ' +
    'concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype default ' +
    'delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline int long ' +
    'mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register ' +
    'reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch ' +
    'template this thread_local throw true try typedef typeid typename typeof typeof_unqual union unsigned using ' +
    'virtual void volatile wchar_t while xor xor_eq ' +
    'defined errno main null stdin stdout stderr assert ' +
    'int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t ssize_t ptrdiff_t intptr_t uintptr_t ' +
    // The runtime's own names: a model of this name could not be compiled together with the Mote library.
    'mote'
  ).split(' '),
);

/** Throws EmitError `bad-prefix` unless `prefix` may stand before every name of the header. */
export function checkPrefix(prefix: string): void {
  const refuse = (why: string): never => {
    throw new EmitError(
      'bad-prefix',
      `"${prefix.slice(0, 40)}" cannot be the name of the model in C: ${why}. ` +
        'Use letters, digits and single underscores, starting with a letter.',
    );
  };
  if (prefix === '') refuse('it is empty');
  if (prefix.length > LONGEST) refuse(`it has more than ${LONGEST} characters`);
  if (!/^[a-z][a-z0-9_]*$/i.test(prefix)) refuse('it is not a C identifier that starts with a letter');
  // C++ reserves every name with two underscores in a row, and one more follows the prefix.
  if (/__|_$/.test(prefix)) refuse('C++ reserves names with two underscores in a row');
  if (TAKEN.has(prefix.toLowerCase())) refuse('this word has a meaning of its own in C, C++ or the Mote library');
}

/** The nearest usable prefix to any text: `toPrefix('Magic Wand!')` is `magic_wand`. */
export function toPrefix(name: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, LONGEST)
    .replace(/^_+|_+$/g, '');
  const candidate = /^[a-z]/.test(words) ? words : `model_${words}`.slice(0, LONGEST).replace(/_+$/, '');
  return TAKEN.has(candidate) ? `${candidate}_model` : candidate;
}
