import { type Attempt, type Life, lifeFrom } from '../../../src/core/life.ts';
import type { Random } from '../../../src/core/random.ts';
import type { Rules } from './rules.ts';

/** From where somebody looks into the folder of an end. */
const places = [
  'its host',
  'another namespace',
  'its host, renamed',
  'its host, its boot hidden',
  'its host, booted again',
  'another kernel',
  'a copy of the folder',
  'a user without permission',
] as const;
type Place = (typeof places)[number];

/** What is seen from there of the process and of its folder. */
export interface Sight {
  readonly place: Place;
  readonly life: Life;
}

/** @param lives what is so, and cannot be seen as such */
export function sightOf(lives: boolean, random: Random, rules: Rules): Sight {
  const place = places[random.below(places.length)]!;
  // As long as it lives, its host has not been booted again.
  if (place === 'its host, booted again' && lives) return { place: 'its host', life: lifeAt('its host') };
  return { place, life: lifeAt(place) };

  function lifeAt(from: Place): Life {
    if (!rules.recoverAsksWhoLives) return 'has ended';
    if (!rules.lifeIsProvedByASocket) return byNumber(from, lives);
    const attempt = attemptAt(from, lives, random);
    const life = lifeFrom(rules.copiesAreRecognised ? attempt : { ...attempt, isOriginal: true });
    if (life !== 'unknown') return life;
    if (!rules.unknownIsNotEnded) return 'has ended';
    // Its user knows, and says so; of a copy, nobody knows whether it was made before.
    const isDeclared = !lives && from !== 'a copy of the folder' && random.happens(0.3);
    return isDeclared ? 'has ended' : 'unknown';
  }
}

function attemptAt(place: Place, lives: boolean, random: Random): Attempt {
  const here: Attempt = {
    answer: lives ? 'accepts' : 'refuses',
    isOriginal: true,
    isSameKernel: true,
    isLocal: random.happens(0.5),
  };
  switch (place) {
    case 'its host, its boot hidden':
      return { ...here, isSameKernel: false, isLocal: true };
    case 'its host, booted again':
      return { ...here, isSameKernel: false };
    case 'another kernel':
      return { ...here, answer: 'refuses', isSameKernel: false, isLocal: false };
    case 'a copy of the folder':
      return { ...here, answer: 'refuses', isOriginal: false, isSameKernel: random.happens(0.5) };
    case 'a user without permission':
      return { ...here, answer: 'cannot be asked' };
    default:
      return here;
  }
}

/** A number is looked for among those of this namespace, and a host is known by its name. */
function byNumber(place: Place, lives: boolean): Life {
  if (place === 'its host, renamed') return 'unknown';
  return lives && (place === 'its host' || place === 'a copy of the folder') ? 'lives' : 'has ended';
}
