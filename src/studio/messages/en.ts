/** English: the reference of all texts and the type of every language file. One section per station. */
import { arduino } from './en/arduino';
import { board } from './en/board';
import { components } from './en/components';
import { data } from './en/data';
import { deploy } from './en/deploy';
import { features } from './en/features';
import { hardware } from './en/hardware';
import { introduction } from './en/introduction';
import { live } from './en/live';
import { microbit } from './en/microbit';
import { micropython } from './en/micropython';
import { model } from './en/model';
import { pico } from './en/pico';
import { recovery } from './en/recovery';
import { shell } from './en/shell';
import { test } from './en/test';
import { uno } from './en/uno';

export const en = {
  shell,
  components,
  board,
  arduino,
  data,
  features,
  model,
  test,
  deploy,
  pico,
  microbit,
  micropython,
  live,
  recovery,
  introduction,
  hardware,
  uno,
} as const;
