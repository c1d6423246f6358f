/**
 * Hours of UTC, `2026-01-31T12`, as keys of an index have them, in templates: the one that follows, and the present
 * one. API Gateway has no dates and promises no arithmetic on what comes as text, so what follows is looked up.
 */

/** Of a whole hour. */
export const hourPattern = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}';

const two = (figure: number): string => String(figure).padStart(2, '0');
/** `{"00":"01", …}`: what follows each of some. */
const followers = (name: string, first: number, last: number): string =>
  `#set($${name} = {${Array.from({ length: last - first + 1 }, (_, at) => `"${two(first + at)}":"${two(first + at + 1)}"`).join(',')}})`;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const leap = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';

/**
 * Sets `$following` to the hour that follows the one of `$hour`, or to nothing behind the year 9999.
 */
export const setFollowing = `\
${followers('nextHour', 0, 22)}
${followers('nextDay', 1, 30)}
${followers('nextMonth', 1, 11)}
${followers('nextYear', 0, 98)}
#set($lastDay = "31")
#if($hour.substring(5,7).matches("04|06|09|11"))#set($lastDay = "30")#end
#if($hour.substring(5,7) == "02")#set($lastDay = "28")#end
#if($hour.matches('${leap}-02.*'))#set($lastDay = "29")#end
#set($following = "")
#if($hour.substring(11,13) != "23")
#set($following = "$hour.substring(0,11)$nextHour.get($hour.substring(11,13))")
#elseif($hour.substring(8,10) != $lastDay)
#set($following = "$hour.substring(0,8)$nextDay.get($hour.substring(8,10))T00")
#elseif($hour.substring(5,7) != "12")
#set($following = "$hour.substring(0,5)$nextMonth.get($hour.substring(5,7))-01T00")
#elseif($hour.substring(2,4) != "99")
#set($following = "$hour.substring(0,2)$nextYear.get($hour.substring(2,4))-01-01T00")
#elseif($hour.substring(0,2) != "99")
#set($following = "$nextYear.get($hour.substring(0,2))00-01-01T00")
#end
#if(!$following.matches('${hourPattern}'))#set($following = "")#end
`;

/** Sets `$presentHour`, from the time of the request as logs have it: `31/Jan/2026:12:34:56 +0000`. */
export const setPresentHour = `\
#set($months = {${months.map((name, at) => `"${name}":"${two(at + 1)}"`).join(',')}})
#set($time = $context.requestTime)
#set($presentHour = "$time.substring(7,11)-$months.get($time.substring(3,6))-$time.substring(0,2)T$time.substring(12,14)")
`;
